"""The catalog's rows for metrics of meaning."""

from assay.metrics.entry import Entry

SEMANTIC_ENTRIES: tuple[Entry, ...] = ()
