"""A database of many tenants, filled and questioned."""
