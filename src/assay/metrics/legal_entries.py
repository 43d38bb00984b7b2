"""The catalog's rows for legal compliance."""

from assay.metrics.entry import Entry

LEGAL_ENTRIES: tuple[Entry, ...] = ()
