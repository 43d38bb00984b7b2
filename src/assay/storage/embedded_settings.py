"""How the embedded server is set: durable, with few processes and bounded memory, for one machine."""

import sys
from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    "cluster_name": "assay",
    "timezone": "UTC",
    "max_connections": "100",
    # Durability is not for sale. Fewer checkpoints write fewer full pages; 1 GB bounds the recovery.
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    # Before it recovers, a server syncs its folder: one call instead of a thousand files, where known.
    "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
    # Memory: the system's page cache does the rest. Parallel workers would multiply work_mem and need
    # more shared memory than containers have.
    "shared_buffers": "32MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    # Four processes less, and no slower for what fits the page cache.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    # The queue's rows are updated several times each: vacuum them early.
    "autovacuum_naptime": "30s",
    "autovacuum_max_workers": "2",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    # Rows are found by key: a small sample says enough, and holds fewer long texts in memory.
    "default_statistics_target": "20",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
