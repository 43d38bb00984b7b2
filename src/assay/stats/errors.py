"""The one error of this package."""


class StatisticsError(ValueError):
    """The numbers handed in cannot be analysed: missing, out of range, misaligned or impossible."""
