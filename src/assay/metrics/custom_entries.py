"""The catalog's rows for metrics of the user's own."""

from assay.metrics.entry import Entry

CUSTOM_ENTRIES: tuple[Entry, ...] = ()
