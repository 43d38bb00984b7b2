"""The catalog's rows for contract completeness."""

from assay.metrics.entry import Entry

CONTRACT_ENTRIES: tuple[Entry, ...] = ()
