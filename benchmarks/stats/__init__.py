"""What the statistics promise, measured by enumeration and simulation."""
