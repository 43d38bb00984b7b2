"""The catalog's rows for metrics that a model judges."""

from assay.metrics.entry import Entry

JUDGED_ENTRIES: tuple[Entry, ...] = ()
