"""Money: integers of billionths of a US dollar (nanousd), so that sums are exact."""

NANO = 1_000_000_000
"""Nanousd in a US dollar."""
