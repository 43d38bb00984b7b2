"""The catalog's rows for metrics of retrieval and of answers from it."""

from assay.metrics.entry import Entry

RAG_ENTRIES: tuple[Entry, ...] = ()
