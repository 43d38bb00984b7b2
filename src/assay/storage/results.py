"""Results and scores, read back: rows for export, columns for statistics. Memory is bounded by a batch."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

from assay.domain.jobs import Plan
from assay.domain.models import ModelResponse, Usage
from assay.domain.results import Result
from assay.domain.scores import Score
from assay.storage.pool import Connection

FETCH_ROWS = 1_000

CHAIN = """
with recursive chain (id, depth) as (
  select %(job)s::uuid, 0
  union all
  select j.parent_job_id, c.depth + 1 from chain c
    join assay.evaluation_jobs j on j.organization_id = %(org)s and j.id = c.id
   where j.parent_job_id is not null)
"""
NEWEST = (
    CHAIN
    + """
, cells as (
  select distinct on (q.item_no) q.*
    from chain
   cross join lateral (
         select * from assay.evaluation_queue q
          where q.organization_id = %(org)s and q.job_id = chain.id offset 0) q
   order by q.item_no, chain.depth)
"""
)
"""Each cell as its newest job left it. This and the lateral joins below say how rows are found, one by one
by whole keys: a job that has just ended has no statistics, and a guess of "one row" costs minutes."""
RESULT_OF_CELL = """
  left join lateral (
       select * from assay.evaluation_results r
        where r.organization_id = %(org)s and r.job_id = q.job_id and r.item_no = q.item_no limit 1) r on true
"""
CELLS = f"""{NEWEST}
select q.item_no, q.case_no, tc.key, q.prompt_no, q.model_no, q.repeat_no, q.state::text, tc.vars,
       tc.expected, tc.tags, tc.cluster, q.attempts, q.error_code, q.error_message,
       r.output, r.finish, r.finish_reason, r.tool_calls, r.input_tokens, r.output_tokens, r.cached_tokens,
       r.cache_write_tokens, r.reasoning_tokens, r.latency_ms, r.ttft_ms, r.model_reported, r.fingerprint,
       r.cached, r.answered_by, r.cost_nanousd,
       (select jsonb_agg(jsonb_build_array(s.metric, s.state, s.value, s.reason, s.passed, s.evidence,
                                           s.calls, s.cost_nanousd)
                         order by s.metric)
          from assay.metric_scores s
         where s.organization_id = %(org)s and s.job_id = q.job_id and s.item_no = q.item_no)
  from cells q
 cross join lateral (
       select dc.case_id from assay.dataset_cases dc
        where dc.organization_id = %(org)s and dc.case_no = q.case_no
          and dc.dataset_version_id = (
              select j.dataset_version_id from assay.evaluation_jobs j
               where j.organization_id = %(org)s and j.id = %(job)s) limit 1) dc
 cross join lateral (
       select * from assay.test_cases tc where tc.organization_id = %(org)s and tc.id = dc.case_id limit 1) tc
{RESULT_OF_CELL}
 order by q.item_no
"""
CASE_CELLS = CELLS.replace(" order by q.item_no\n", " where tc.key = %(case)s\n order by q.item_no\n")
COLUMNS = (
    CHAIN
    + """
select s.metric, r.prompt_no, r.model_no, r.case_no, r.repeat_no, s.state::text, s.value, s.passed, s.calls,
       s.cost_nanousd
  from chain
 cross join lateral (
       select * from assay.evaluation_results r
        where r.organization_id = %(org)s and r.job_id = chain.id offset 0) r
 cross join lateral (
       select * from assay.metric_scores s
        where s.organization_id = %(org)s and s.job_id = r.job_id and s.item_no = r.item_no offset 0) s
"""
)
MEASURES = f"""{NEWEST}
select q.prompt_no, q.model_no, q.state::text, q.error_code, r.cached,
       r.input_tokens, r.output_tokens, r.cost_nanousd, r.latency_ms, r.ttft_ms
  from cells q
{RESULT_OF_CELL}
"""
CASES = (
    CHAIN
    + """
select dc.case_no, tc.key, tc.cluster
  from (select id from chain order by depth desc limit 1) first
  join assay.evaluation_jobs j on j.organization_id = %(org)s and j.id = first.id
 cross join lateral (
       select dc.case_no, dc.case_id from assay.dataset_cases dc
        where dc.organization_id = %(org)s and dc.dataset_version_id = j.dataset_version_id
          and (j.selection is null or j.selection @> dc.case_no) offset 0) dc
 cross join lateral (
       select * from assay.test_cases tc where tc.organization_id = %(org)s and tc.id = dc.case_id limit 1) tc
 order by dc.case_no
"""
)
"""The cases of a retry are those of the job that was retried."""
CASE_TAGS = CASES.replace("tc.key, tc.cluster", "tc.tags", 1)
COSTS = (
    CHAIN
    + """
select r.prompt_no, r.model_no, r.case_no, r.cost_nanousd
  from chain
 cross join lateral (
       select * from assay.evaluation_results r
        where r.organization_id = %(org)s and r.job_id = chain.id and r.cost_nanousd is not null
          and not r.cached offset 0) r
"""
)
ANSWERS = (
    CHAIN
    + """
select distinct on (r.item_no) r.item_no, r.output
  from chain
 cross join lateral (
       select r.item_no, left(r.output, %(length)s) as output from assay.evaluation_results r
        where r.organization_id = %(org)s and r.job_id = chain.id and r.item_no = any (%(items)s) offset 0) r
 order by r.item_no, chain.depth
"""
)


async def stream_results(
    connection: Connection, organization_id: UUID, job_id: UUID, plan: Plan
) -> AsyncGenerator[list[Result], None]:
    """Every cell of a job in order, in batches; a retried cell as its newest job left it."""
    async for rows in _stream(connection, CELLS, organization_id, job_id):
        yield [_result(row, plan) for row in rows]


async def read_case_results(
    connection: Connection, organization_id: UUID, job_id: UUID, plan: Plan, case: str
) -> list[Result]:
    """The cells of one case, by its id."""
    values = {"org": organization_id, "job": job_id, "case": case}
    rows = await (await connection.execute(CASE_CELLS, values)).fetchall()
    return [_result(row, plan) for row in rows]


def stream_scores(
    connection: Connection, organization_id: UUID, job_id: UUID
) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    """Rows (metric, prompt_no, model_no, case_no, repeat_no, state, value, passed, calls, cost_nanousd), in
    batches, unordered."""
    return _stream(connection, COLUMNS, organization_id, job_id)


def stream_measures(
    connection: Connection, organization_id: UUID, job_id: UUID
) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    """Rows (prompt_no, model_no, state, error_code, cached, input_tokens, output_tokens, cost_nanousd,
    latency_ms, ttft_ms), one a cell, in batches."""
    return _stream(connection, MEASURES, organization_id, job_id)


def stream_case_keys(
    connection: Connection, organization_id: UUID, job_id: UUID
) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    """Rows (case_no, key, cluster) of the cases that take part in a job, in batches."""
    return _stream(connection, CASES, organization_id, job_id)


def stream_case_tags(
    connection: Connection, organization_id: UUID, job_id: UUID
) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    """Rows (case_no, tags) of the cases that take part in a job, in batches."""
    return _stream(connection, CASE_TAGS, organization_id, job_id)


def stream_costs(
    connection: Connection, organization_id: UUID, job_id: UUID
) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    """Rows (prompt_no, model_no, case_no, cost_nanousd) of answers that were paid for, in batches."""
    return _stream(connection, COSTS, organization_id, job_id)


async def read_answers(
    connection: Connection, organization_id: UUID, job_id: UUID, items: Sequence[int], *, length: int
) -> dict[int, str]:
    """The beginning of the answers in some cells of a job, by cell number; a cell without one is left out."""
    found: dict[int, str] = {}
    for start in range(0, len(items), FETCH_ROWS):
        values = {
            "org": organization_id,
            "job": job_id,
            "items": list(items[start : start + FETCH_ROWS]),
            "length": length,
        }
        cursor = await connection.execute(ANSWERS, values)
        found.update(await cursor.fetchall())
    return found


async def _stream(
    connection: Connection, query: str, organization_id: UUID, job_id: UUID
) -> AsyncGenerator[list[tuple[Any, ...]], None]:
    async with connection.cursor(name="rows") as cursor:
        cursor.itersize = FETCH_ROWS
        await cursor.execute(query, {"org": organization_id, "job": job_id})
        while rows := await cursor.fetchmany(FETCH_ROWS):
            yield rows


def _result(row: Sequence[Any], plan: Plan) -> Result:
    item_no, case_no, key, prompt_no, model_no, repeat, state, variables, expected, tags, cluster = row[:11]
    attempts, error_code, error_message = row[11:14]
    return Result(
        item_no=item_no,
        case_no=case_no,
        case=key,
        prompt=plan.prompts[prompt_no].name,
        model=plan.models[model_no].name,
        repeat=repeat,
        state=state,
        vars=variables,
        expected=expected,
        tags=tuple(tags),
        cluster=cluster,
        response=None if row[14] is None else response_of(row[14:29]),
        scores=tuple(_score(item) for item in row[30] or ()),
        cost_nanousd=row[29],
        attempts=attempts,
        error_code=error_code,
        error_message=error_message,
    )


def response_of(row: Sequence[Any]) -> ModelResponse:
    """The answer in a row of output, finish, finish_reason, tool_calls, five counts of tokens (input, output,
    cached, cache write, reasoning), latency_ms, ttft_ms, model, fingerprint, cached and answered_by."""
    output, finish, finish_reason, tool_calls, *tokens = row[:9]
    latency_ms, ttft_ms, model, fingerprint, cached, answered_by = row[9:]
    return ModelResponse(
        text=output,
        finish=finish,
        finish_reason=finish_reason,
        tool_calls=tuple(tool_calls or ()),
        usage=Usage(
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cached_tokens=tokens[2],
            cache_write_tokens=tokens[3],
            reasoning_tokens=tokens[4],
        ),
        latency_ms=latency_ms,
        ttft_ms=ttft_ms,
        model=model,
        fingerprint=fingerprint,
        cached=cached,
        answered_by=answered_by,
    )


def _score(item: Sequence[Any]) -> Score:
    metric, state, value, reason, passed, evidence, calls, cost_nanousd = item
    return Score(metric, state, value, reason, passed, evidence, calls, cost_nanousd)
