"""The catalog's rows for metrics of tool calls and trajectories."""

from assay.metrics.entry import Entry

AGENT_ENTRIES: tuple[Entry, ...] = ()
