"""The catalog's rows for real estate accuracy."""

from assay.metrics.entry import Entry

REAL_ESTATE_ENTRIES: tuple[Entry, ...] = ()
