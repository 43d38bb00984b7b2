"""Stored results that lack scores, read in pages, and the scores that are added to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from assay.domain.datasets import Case
from assay.domain.models import ModelConfig, ModelResponse
from assay.domain.scores import MetricConfig, Score
from assay.storage.case_rows import case_of
from assay.storage.pool import Connection
from assay.storage.queue import encode_batch, score_row
from assay.storage.results import CHAIN, response_of

BEFORE_ALL = -1
"""Where the first page of answers begins."""
LINEAGE = CHAIN + " select id from chain order by depth desc"  # noqa: S608 - both are literals
UNSCORED = """
select r.item_no, nextval('assay.lease_tokens'), r.case_no, r.prompt_no, r.model_no, r.repeat_no,
       array(select m from unnest(%(metrics)s::text[]) m
              where not exists (select from assay.metric_scores s
                                 where s.organization_id = %(org)s and s.job_id = %(job)s
                                   and s.item_no = r.item_no and s.metric = m and s.state::text <> 'failed')),
       tc.key, tc.vars, tc.expected, tc.context, tc.metadata, tc.tags, tc.cluster, tc.weight, r.cost_nanousd,
       r.output, r.finish, r.finish_reason, r.tool_calls, r.input_tokens, r.output_tokens, r.cached_tokens,
       r.cache_write_tokens, r.reasoning_tokens, r.latency_ms, r.ttft_ms, r.model_reported, r.fingerprint,
       r.cached, r.answered_by, r.output_bytes
  from (select * from assay.evaluation_results r
         where r.organization_id = %(org)s and r.job_id = %(job)s and r.item_no > %(after)s
         order by r.item_no limit %(limit)s) r
 cross join lateral (
       select dc.case_id from assay.dataset_cases dc
        where dc.organization_id = %(org)s and dc.case_no = r.case_no
          and dc.dataset_version_id = (
              select j.dataset_version_id from assay.evaluation_jobs j
               where j.organization_id = %(org)s and j.id = %(job)s) limit 1) dc
 cross join lateral (
       select * from assay.test_cases tc where tc.organization_id = %(org)s and tc.id = dc.case_id limit 1) tc
 order by r.item_no
"""
COUNT = """
select (select count(*) from assay.evaluation_results r
         where r.organization_id = %(org)s and r.job_id = any (%(jobs)s)) * cardinality(%(metrics)s::text[])
     - (select count(*) from assay.metric_scores s
         where s.organization_id = %(org)s and s.job_id = any (%(jobs)s) and s.metric = any (%(metrics)s)
           and s.state::text <> 'failed')
"""
OUTPUTS = """
select r.item_no, r.output, r.output_bytes from assay.evaluation_results r
 where r.organization_id = %s and r.job_id = any (%s) and r.item_no = any (%s)
"""
REGISTER = """
update assay.evaluation_jobs j
   set added_metrics = jsonb_build_object(
         'metrics', (j.added_metrics -> 'metrics') || %(metrics)s::jsonb,
         'judges', (j.added_metrics -> 'judges') || %(judges)s::jsonb)
 where j.organization_id = %(org)s and j.id = any (%(jobs)s)
   and not exists (select from jsonb_array_elements(j.added_metrics -> 'metrics') m
                    where m ->> 'name' = any (%(names)s))
"""
ADD = "select assay.add_scores(%s, %s::jsonb)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """A stored answer, and the metrics that it has no score of, or only a failed one.

    `token` stands for a lease: it tells the calls of this scoring from others of the same cell.
    """

    item_no: int
    token: int
    case_no: int
    prompt_no: int
    model_no: int
    repeat: int
    missing: tuple[str, ...]
    case: Case
    response: ModelResponse
    cost_nanousd: int | None


async def lineage(connection: Connection, organization_id: UUID, job_id: UUID) -> list[UUID]:
    """A job and those that it retries, the first one first."""
    cursor = await connection.execute(LINEAGE, {"org": organization_id, "job": job_id})
    return [row[0] for row in await cursor.fetchall()]


async def read_answers(
    connection: Connection, organization_id: UUID, job_id: UUID, metrics: Sequence[str], page: tuple[int, int]
) -> tuple[list[Unscored], int | None]:
    """The answers of a page, which of `metrics` each lacks, and where the next page begins; None is the end.

    `page` is the last item that was seen, and how many to read.
    """
    after, limit = page
    values = {"org": organization_id, "job": job_id, "metrics": list(metrics), "after": after, "limit": limit}
    rows = await (await connection.execute(UNSCORED, values)).fetchall()
    following = int(rows[-1][0]) if len(rows) == limit else None
    return [_unscored(row) for row in rows], following


async def count_unscored(
    connection: Connection, organization_id: UUID, jobs: Sequence[UUID], metrics: Sequence[str]
) -> int:
    """How many scores of these metrics are missing or failed."""
    values = {"org": organization_id, "jobs": list(jobs), "metrics": list(metrics)}
    row = await (await connection.execute(COUNT, values)).fetchone()
    return 0 if row is None else int(row[0])


async def read_outputs(
    connection: Connection, organization_id: UUID, jobs: Sequence[UUID], items: Sequence[int]
) -> dict[int, str]:
    """Answers by the number of their cell."""
    rows = await (await connection.execute(OUTPUTS, [organization_id, list(jobs), list(items)])).fetchall()
    return {item: _text(output, raw) for item, output, raw in rows}


async def register_metrics(
    connection: Connection,
    organization_id: UUID,
    jobs: Sequence[UUID],
    metrics: Sequence[MetricConfig],
    judges: Sequence[ModelConfig],
) -> None:
    """Let these metrics belong to the jobs from now on."""
    values = {
        "org": organization_id,
        "jobs": list(jobs),
        "names": [metric.name for metric in metrics],
        "metrics": orjson.dumps(list(metrics), option=orjson.OPT_NON_STR_KEYS).decode(),
        "judges": orjson.dumps(list(judges), option=orjson.OPT_NON_STR_KEYS).decode(),
    }
    await connection.execute(REGISTER, values)


async def add_scores(
    connection: Connection, job_id: UUID, scores: Sequence[tuple[int, Score]], versions: Mapping[str, str]
) -> int:
    """Store scores by the number of their cell; how many were not there yet."""
    rows = [(item_no, *score_row(score, versions)) for item_no, score in scores]
    cursor = await connection.execute(ADD, [job_id, encode_batch(rows)])
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])


def _unscored(row: Sequence[Any]) -> Unscored:
    item_no, token, case_no, prompt_no, model_no, repeat, missing = row[:7]
    response = response_of(row[16:31])
    return Unscored(
        item_no=item_no,
        token=token,
        case_no=case_no,
        prompt_no=prompt_no,
        model_no=model_no,
        repeat=repeat,
        missing=tuple(missing),
        case=case_of(row[7:15]),
        response=replace(response, text=_text(response.text, row[31])),
        cost_nanousd=row[15],
    )


def _text(output: str, raw: bytes | None) -> str:
    """An answer as it came."""
    return output if raw is None else bytes(raw).decode("utf-8", "surrogatepass")
