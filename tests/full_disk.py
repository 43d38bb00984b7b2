"""Run by a test on a small file system of its own: a disk fills up while answers are stored."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from assay.domain.ids import new_id
from assay.domain.text import valid_text
from assay.storage import embedded, migrate
from assay.storage.pool import Database
from tenants import Tenant, make_success

CELLS, BATCH, ANSWER_BYTES, LEFT_BYTES = 60, 3, 1_000_000, 20_000_000


async def fill(folder: Path) -> None:
    """Store sixty answers of a megabyte; the ballast goes when the first one does not fit."""
    with embedded.start(folder / "data", idle_s=0, settings={"max_wal_size": "64MB"}) as server:
        signer = migrate.upgrade(server.dsn())
        ballast = folder / "ballast"

        async def make_room() -> None:
            ballast.unlink(missing_ok=True)
            await asyncio.to_thread(server.ensure_running)

        database = Database(server.dsn(), signer=signer, revive=make_room, patience_s=100)
        await database.open()
        tenant = await Tenant.join(database, new_id())
        job = await tenant.make_job(cases=CELLS)
        ballast.write_bytes(b"x" * max(0, shutil.disk_usage(folder).free - LEFT_BYTES))
        acknowledged = 0
        while items := await job.queue.claim(BATCH):
            answers = await job.queue.record([make_success(item, text()) for item in items])
            acknowledged += sum(answer in ("succeeded", "already") for answer in answers)
        state = (await job.queue.sweep()).state
        kept = await tenant.value("select count(*) from assay.evaluation_results")
        violations = await tenant.violations()
        log = server.log_path.read_text(errors="replace")
        print(acknowledged, kept, state, violations, not ballast.exists(), "No space left on device" in log)
        await database.close()


def text() -> str:
    """An answer that cannot be compressed."""
    return valid_text(os.urandom(ANSWER_BYTES // 2).hex())


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
