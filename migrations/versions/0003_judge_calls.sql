-- Judges: their calls in the ledger, what they cost beside each score, and scores of stored results.
set local role assay_owner;
set local search_path = assay, pg_catalog;

alter table assay.evaluation_jobs
  add column added_metrics jsonb not null default '{"metrics": [], "judges": []}';
alter table assay.model_calls
  add column metric text, add column judge text, add column request_key bytea, add column answer jsonb,
  add check ((role = 'judge') = (metric is not null and judge is not null));
alter table assay.metric_scores
  add column calls smallint not null default 0 check (calls >= 0),
  add column cost_nanousd bigint default 0 check (cost_nanousd >= 0);
create index model_calls_answers on assay.model_calls (organization_id, request_key) where answer is not null;

create or replace function assay.summarize_scores() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- A score that failed may be made again: then what it was is taken out, and what it is put in.
declare
  earlier assay.metric_scores[];
begin
  if tg_op = 'UPDATE' then
    earlier := array(select b::assay.metric_scores from before b);
  end if;
  insert into assay.evaluation_job_summaries as s
    (organization_id, job_id, prompt_no, model_no, metric, scored, failed, abstained, skipped, judged, passed,
     value_sum, square_sum)
  select a.organization_id, a.job_id,
         (a.item_no / j.repeat_count / j.model_count % j.prompt_count)::smallint,
         (a.item_no / j.repeat_count % j.model_count)::smallint, a.metric,
         coalesce(sum(a.sign) filter (where a.state = 'scored'), 0),
         coalesce(sum(a.sign) filter (where a.state = 'failed'), 0),
         coalesce(sum(a.sign) filter (where a.state = 'abstained'), 0),
         coalesce(sum(a.sign) filter (where a.state = 'skipped'), 0),
         coalesce(sum(a.sign) filter (where a.passed is not null), 0),
         coalesce(sum(a.sign) filter (where a.passed), 0),
         coalesce(sum(a.sign * a.value), 0), coalesce(sum(a.sign * a.value * a.value), 0)
    from (select 1 as sign, n.organization_id, n.job_id, n.item_no, n.metric, n.state, n.passed, n.value from after n
          union all
          select -1, o.organization_id, o.job_id, o.item_no, o.metric, o.state, o.passed, o.value
            from unnest(earlier) o) a
    join assay.evaluation_jobs j on j.organization_id = a.organization_id and j.id = a.job_id
   group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
  on conflict (organization_id, job_id, prompt_no, model_no, metric) do update
     set scored = s.scored + excluded.scored, failed = s.failed + excluded.failed,
         abstained = s.abstained + excluded.abstained, skipped = s.skipped + excluded.skipped,
         judged = s.judged + excluded.judged, passed = s.passed + excluded.passed,
         value_sum = s.value_sum + excluded.value_sum, square_sum = s.square_sum + excluded.square_sum,
         updated_at = clock_timestamp();
  return null;
end $$;

create or replace function assay.expand_job(p_job uuid, p_estimates jsonb, p_cases int) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Makes the queue rows of the next p_cases cases; 0 when none is left or the job ends. Idempotent, resumable.
-- p_estimates: [[prompt_no, model_no, base_nanousd, nanousd_per_byte, nanousd_per_judged_byte], ...]; nulls are
-- unknown prices. A model reads the variables of a case, a judge what is expected and the context as well.
-- The cells of a race are held back until they are opened.
declare
  org uuid := assay.current_organization();
  job assay.evaluation_jobs;
  available timestamptz;
  made bigint;
  last_case int;
begin
  select * into strict job from assay.evaluation_jobs j
   where j.organization_id = org and j.id = p_job for no key update;
  if job.state in ('completed', 'failed', 'cancelling', 'cancelled') then
    return 0;
  end if;
  select max(d.case_no) into last_case from (
    select dc.case_no from assay.dataset_cases dc
     where dc.organization_id = org and dc.dataset_version_id = job.dataset_version_id
       and dc.case_no >= job.expanded_cases and (job.selection is null or job.selection @> dc.case_no)
     order by dc.case_no limit p_cases) d;
  if last_case is null then
    update assay.evaluation_jobs j set expanded_cases = v.case_count
      from assay.dataset_versions v
     where j.organization_id = org and j.id = p_job and j.expanded_cases < v.case_count
       and v.organization_id = org and v.id = job.dataset_version_id;
    return 0;
  end if;
  available := case when jsonb_typeof(job.plan -> 'race') = 'object' then assay.held_until()
                    else clock_timestamp() end;
  insert into assay.evaluation_queue
    (organization_id, job_id, item_no, case_no, prompt_no, model_no, repeat_no, estimate_nanousd, available_at)
  select org, p_job,
         ((dc.case_no::bigint * job.prompt_count + e.prompt_no) * job.model_count + e.model_no)
           * job.repeat_count + r.repeat_no,
         dc.case_no, e.prompt_no, e.model_no, r.repeat_no,
         e.base_nanousd + e.byte_nanousd * octet_length(tc.vars::text)
           + e.judged_nanousd * (octet_length(tc.vars::text) + coalesce(octet_length(tc.expected::text), 0)
                                 + coalesce(octet_length(tc.context::text), 0)), available
    from assay.dataset_cases dc
    join assay.test_cases tc on tc.organization_id = org and tc.id = dc.case_id
   cross join (select (x ->> 0)::smallint as prompt_no, (x ->> 1)::smallint as model_no,
                      (x ->> 2)::bigint as base_nanousd, (x ->> 3)::bigint as byte_nanousd,
                      coalesce((x ->> 4)::bigint, 0) as judged_nanousd
                 from jsonb_array_elements(p_estimates) x) e
   cross join generate_series(0, job.repeat_count - 1) as r (repeat_no)
   where dc.organization_id = org and dc.dataset_version_id = job.dataset_version_id
     and dc.case_no between job.expanded_cases and last_case
     and (job.selection is null or job.selection @> dc.case_no)
   order by dc.case_no, e.prompt_no, e.model_no, r.repeat_no;
  get diagnostics made = row_count;
  update assay.evaluation_jobs j set expanded_cases = last_case + 1
   where j.organization_id = org and j.id = p_job;
  return made;
end $$;

create or replace function assay.settle_calls(p_job uuid, p_batch jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Closes ledger rows and moves their money from reserved to spent. Idempotent: a settled row stays as it is.
-- A late truth replaces the estimate at which a lost call was counted; it never adds to it.
declare
  org uuid := assay.current_organization();
begin
  with batch as materialized (
    select * from jsonb_to_recordset(p_batch) as b (
      item_no bigint, lease_token bigint, call_no smallint, outcome text, counts boolean, cost_nanousd bigint,
      price_version text, input_tokens int, output_tokens int, cached_tokens int, cache_write_tokens int,
      reasoning_tokens int, call_latency_ms real, http_status smallint, provider_request_id text,
      error_message text, answer jsonb, request_key text)
  ), closed as (
    update assay.model_calls c
       set state = 'settled', closed_at = coalesce(c.closed_at, clock_timestamp()), outcome = b.outcome,
           counts = c.role = 'target' and (c.assumed or b.counts is not false), cost_nanousd = b.cost_nanousd,
           price_version = b.price_version, input_tokens = b.input_tokens, output_tokens = b.output_tokens,
           cached_tokens = b.cached_tokens, cache_write_tokens = b.cache_write_tokens,
           reasoning_tokens = b.reasoning_tokens, latency_ms = b.call_latency_ms, http_status = b.http_status,
           provider_request_id = b.provider_request_id, error_message = b.error_message,
           answer = coalesce(nullif(b.answer, 'null'), c.answer),
           request_key = case when nullif(b.answer, 'null') is null then c.request_key
                              else decode(b.request_key, 'hex') end
      from batch b
     where c.organization_id = org and c.job_id = p_job
       and c.item_no = any (array(select b.item_no from batch b)) and c.item_no = b.item_no
       and c.lease_token = b.lease_token and c.call_no = b.call_no and c.state in ('intent', 'unknown')
    returning c.assumed, c.estimate_nanousd, c.cost_nanousd
  )
  update assay.evaluation_jobs j
     set reserved_nanousd = j.reserved_nanousd - s.freed,
         spent_nanousd = j.spent_nanousd + s.paid - s.assumed,
         unpriced_calls = j.unpriced_calls + s.unpriced
    from (select coalesce(sum(estimate_nanousd) filter (where not assumed), 0)::bigint as freed,
                 coalesce(sum(estimate_nanousd) filter (where assumed), 0)::bigint as assumed,
                 coalesce(sum(cost_nanousd), 0)::bigint as paid,
                 count(*) filter (where cost_nanousd is null)
                   - count(*) filter (where assumed and estimate_nanousd is null) as unpriced,
                 count(*) as rows
            from closed) s
   where j.organization_id = org and j.id = p_job and s.rows > 0;
end $$;

create or replace function assay.record(p_job uuid, p_batch jsonb)
returns table (item_no bigint, lease_token bigint, answer text)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
-- Makes a batch of outcomes durable. kind: success (with its result and scores), failure (for good) or
-- retry (back to the queue after delay_s, unless its attempts are used up). Only the holder of the lease
-- changes an item; everyone's money is counted. Answers ok, already (this lease wrote it before) or fenced.
declare
  org uuid := assay.current_organization();
  most smallint;
begin
  select j.max_attempts into strict most from assay.evaluation_jobs j
   where j.organization_id = org and j.id = p_job;
  return query
  with batch as materialized (
    select distinct on (item_no, lease_token) * from jsonb_to_recordset(p_batch) as b (
      item_no bigint, lease_token bigint, kind text, delay_s double precision, counts boolean,
      error_code text, error_message text,
      output text, output_bytes text, finish text, finish_reason text, tool_calls jsonb, latency_ms real,
      ttft_ms real, input_tokens int, output_tokens int, cached_tokens int, cache_write_tokens int,
      reasoning_tokens int, cost_nanousd bigint, cached boolean, model_reported text, fingerprint text,
      answered_by text, request_key text, scores jsonb)
  ), moved as (
    update assay.evaluation_queue q
       set state = case
             when b.kind = 'success' then 'succeeded'
             when b.kind = 'retry' and (b.counts is false or q.attempts < most) then 'ready'
             else 'failed' end::assay.item_state,
           attempts = q.attempts - (b.counts is false)::int,
           available_at = case when b.kind = 'retry'
             then clock_timestamp() + b.delay_s * interval '1 second' else q.available_at end,
           lease_expires_at = null, lease_owner = null,
           error_code = b.error_code, error_message = b.error_message
      from batch b
     where q.organization_id = org and q.job_id = p_job
       and q.item_no = any (array(select b.item_no from batch b))
       and q.item_no = b.item_no and q.lease_token = b.lease_token and q.lease_expires_at is not null
    returning q.item_no, q.lease_token, q.case_no, q.prompt_no, q.model_no, q.repeat_no, q.state
  ), stored as (
    insert into assay.evaluation_results
      (organization_id, job_id, item_no, lease_token, case_no, prompt_no, model_no, repeat_no, output,
       output_bytes, finish, finish_reason, tool_calls, latency_ms, ttft_ms, input_tokens, output_tokens,
       cached_tokens, cache_write_tokens, reasoning_tokens, cost_nanousd, cached, model_reported,
       fingerprint, answered_by, request_key)
    select org, p_job, m.item_no, b.lease_token, m.case_no, m.prompt_no, m.model_no, m.repeat_no, b.output,
           decode(b.output_bytes, 'base64'), b.finish, b.finish_reason, b.tool_calls, b.latency_ms, b.ttft_ms,
           b.input_tokens, b.output_tokens, b.cached_tokens, b.cache_write_tokens, b.reasoning_tokens,
           b.cost_nanousd, b.cached, b.model_reported, b.fingerprint, b.answered_by,
           decode(b.request_key, 'hex')
      from moved m join batch b using (item_no, lease_token)
     where m.state = 'succeeded'
  ), scored as (
    insert into assay.metric_scores
      (organization_id, job_id, item_no, metric, version, state, value, passed, reason, evidence, calls, cost_nanousd)
    select org, p_job, m.item_no, s ->> 0, s ->> 1, (s ->> 2)::assay.score_state,
           (s ->> 3)::double precision, (s ->> 4)::boolean, s ->> 5, nullif(s -> 6, 'null'),
           (s ->> 7)::smallint, (s ->> 8)::bigint
      from moved m join batch b using (item_no, lease_token) cross join lateral jsonb_array_elements(b.scores) s
     where m.state = 'succeeded'
  )
  select b.item_no, b.lease_token,
         case when m.state is not null then m.state::text
              when exists (select from assay.evaluation_results r
                            where r.organization_id = org and r.job_id = p_job and r.item_no = b.item_no
                              and r.lease_token = b.lease_token) then 'already'
              else 'fenced' end
    from batch b left join moved m using (item_no, lease_token);
  perform assay.settle_calls(p_job, p_batch);
end $$;

create function assay.judge_calls(p_job uuid, p_kept jsonb, p_closed jsonb, p_opened jsonb, p_worker text,
                                  p_leased boolean)
returns table (item_no bigint, lease_token bigint, call_no smallint)
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
-- Closes calls of judges and opens the intents of others, before their bytes leave; those that may be sent come
-- back. Idempotent. p_leased: for cells under way, whose reservation holds the money of their judges too: each
-- call takes its share of it, so that what is reserved in all stays the same. Their answers (p_kept) go to the
-- ledger first, so that they are not asked again when the worker dies while they are judged. Otherwise for
-- stored results: money is reserved anew, and a call for which there is no room does not come back.
declare
  org uuid := assay.current_organization();
  job assay.evaluation_jobs;
  room bigint;
  needed bigint;
  admitted jsonb;
begin
  perform assay.settle_calls(p_job, p_closed);
  if not p_leased then
    select * into strict job from assay.evaluation_jobs j
     where j.organization_id = org and j.id = p_job for no key update;
    room := least(job.cap_nanousd - job.spent_nanousd - job.reserved_nanousd, assay.budget_room());
    with batch as (
      select b.*, sum(coalesce(b.estimate_nanousd, 0)) over (order by b.lease_token, b.call_no) as so_far
        from jsonb_to_recordset(p_opened) as b (
          item_no bigint, lease_token bigint, call_no smallint, metric text, judge text, estimate_nanousd bigint)
    ), opened as (
      insert into assay.model_calls
        (organization_id, job_id, item_no, lease_token, call_no, role, worker, counts, estimate_nanousd, metric, judge)
      select org, p_job, b.item_no, b.lease_token, b.call_no, 'judge', p_worker, false, b.estimate_nanousd, b.metric,
             b.judge
        from batch b
       where room is null or (b.so_far <= room and b.estimate_nanousd is not null)
          on conflict do nothing
      returning model_calls.item_no, model_calls.lease_token, model_calls.call_no, model_calls.estimate_nanousd
    )
    select coalesce(sum(o.estimate_nanousd), 0), jsonb_agg(o) into needed, admitted from opened o;
    update assay.evaluation_jobs j set reserved_nanousd = j.reserved_nanousd + needed
     where j.organization_id = org and j.id = p_job and needed > 0;
    return query
    select a.item_no, a.lease_token, a.call_no
      from jsonb_to_recordset(admitted) as a (item_no bigint, lease_token bigint, call_no smallint);
    return;
  end if;
  return query
  with batch as materialized (
    select b.*, coalesce(sum(b.estimate_nanousd) over (
             partition by b.lease_token order by b.call_no
             rows between unbounded preceding and 1 preceding), 0)::bigint as before
      from jsonb_to_recordset(p_opened) as b (
        item_no bigint, lease_token bigint, call_no smallint, metric text, judge text, estimate_nanousd bigint)
  ), kept as materialized (
    select * from jsonb_to_recordset(p_kept) as k (
      item_no bigint, lease_token bigint, answer jsonb, request_key text, cost_nanousd bigint, price_version text)
  ), touched as (
    select b.item_no, b.lease_token from batch b union select k.item_no, k.lease_token from kept k
  ), under_way as materialized (
    select t.item_no, t.lease_token, c.call_no, c.estimate_nanousd
      from touched t
      join assay.model_calls c
        on c.organization_id = org and c.job_id = p_job
       and c.item_no = any (array(select t.item_no from touched t)) and c.item_no = t.item_no
       and c.lease_token = t.lease_token and c.role = 'target' and c.state = 'intent'
     where exists (select from assay.evaluation_queue q
                    where q.organization_id = org and q.job_id = p_job and q.item_no = t.item_no
                      and q.lease_token = t.lease_token and q.lease_expires_at is not null)
  ), opened as (
    insert into assay.model_calls
      (organization_id, job_id, item_no, lease_token, call_no, role, worker, counts, estimate_nanousd, metric, judge)
    select org, p_job, b.item_no, b.lease_token, b.call_no, 'judge', p_worker, false,
           least(b.estimate_nanousd, greatest(0, u.estimate_nanousd - b.before)), b.metric, b.judge
      from batch b join under_way u using (item_no, lease_token)
        on conflict do nothing
    returning model_calls.item_no, model_calls.lease_token, model_calls.call_no, model_calls.estimate_nanousd
  ), paid as (
    update assay.model_calls c
       set estimate_nanousd = c.estimate_nanousd - coalesce(
             (select sum(o.estimate_nanousd) from opened o
               where o.item_no = u.item_no and o.lease_token = u.lease_token), 0)::bigint,
           answer = coalesce(k.answer, c.answer),
           request_key = case when k.answer is null then c.request_key else decode(k.request_key, 'hex') end,
           cost_nanousd = case when k.answer is null then c.cost_nanousd else k.cost_nanousd end,
           price_version = coalesce(k.price_version, c.price_version)
      from under_way u left join kept k using (item_no, lease_token)
     where c.organization_id = org and c.job_id = p_job
       and c.item_no = any (array(select u.item_no from under_way u)) and c.item_no = u.item_no
       and c.lease_token = u.lease_token and c.call_no = u.call_no
  )
  select o.item_no, o.lease_token, o.call_no from opened o;
end $$;
comment on function assay.judge_calls is 'Close calls of judges and open others: those that may be sent';

create function assay.add_scores(p_job uuid, p_batch jsonb) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Scores of stored results by metrics that they had none of, or of which they failed: [[item_no, metric, version,
-- state, value, passed, reason, evidence, calls, cost], ...]. How many were stored: the others were there.
declare
  org uuid := assay.current_organization();
  stored bigint;
begin
  perform from assay.evaluation_jobs j where j.organization_id = org and j.id = p_job for no key update;
  insert into assay.metric_scores as s
    (organization_id, job_id, item_no, metric, version, state, value, passed, reason, evidence, calls, cost_nanousd)
  select org, p_job, (x ->> 0)::bigint, x ->> 1, x ->> 2, (x ->> 3)::assay.score_state,
         (x ->> 4)::double precision, (x ->> 5)::boolean, x ->> 6, nullif(x -> 7, 'null'), (x ->> 8)::smallint,
         (x ->> 9)::bigint
    from jsonb_array_elements(p_batch) x
  on conflict (organization_id, job_id, item_no, metric) do update
     set version = excluded.version, state = excluded.state, value = excluded.value, passed = excluded.passed,
         reason = excluded.reason, evidence = excluded.evidence, calls = excluded.calls,
         cost_nanousd = excluded.cost_nanousd
   where s.state = 'failed';
  get diagnostics stored = row_count;
  return stored;
end $$;
comment on function assay.add_scores is 'Store scores of results by further metrics, and in place of scores that failed';

create function assay.close_judge_calls(p_job uuid, p_worker text) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
-- For a worker that is dead: what it asked judges about stored results may have been paid for.
declare
  org uuid := assay.current_organization();
  closed bigint;
begin
  perform from assay.evaluation_jobs j where j.organization_id = org and j.id = p_job for no key update;
  with lost as (
    update assay.model_calls c
       set state = 'unknown', outcome = 'lost', assumed = true, closed_at = clock_timestamp()
      from assay.evaluation_queue q
     where c.organization_id = org and c.job_id = p_job and c.role = 'judge' and c.state = 'intent'
       and c.worker = p_worker and q.organization_id = org and q.job_id = p_job and q.item_no = c.item_no
       and q.lease_expires_at is null
    returning c.estimate_nanousd
  ), money as (
    update assay.evaluation_jobs j
       set reserved_nanousd = j.reserved_nanousd - s.held, spent_nanousd = j.spent_nanousd + s.held,
           unpriced_calls = j.unpriced_calls + s.unpriced
      from (select coalesce(sum(estimate_nanousd), 0)::bigint as held, count(*) as rows,
                   count(*) filter (where estimate_nanousd is null) as unpriced
              from lost) s
     where j.organization_id = org and j.id = p_job and s.rows > 0
  )
  select count(*) into closed from lost;
  return closed;
end $$;
comment on function assay.close_judge_calls is 'Take what a dead worker asked judges about stored results as paid for';

create or replace function assay.release(p_job uuid, p_tokens bigint[], p_sent bigint[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
-- Hands leases back on purpose (drain, stop): never a crash. Calls of tokens in p_sent may have been paid.
declare
  org uuid := assay.current_organization();
  cancelling boolean;
  items bigint[];
begin
  select j.state = 'cancelling' into cancelling from assay.evaluation_jobs j
   where j.organization_id = org and j.id = p_job for no key update;
  select array_agg(q.item_no) into items
    from unnest(p_tokens) as t (lease_token)
   cross join lateral (
         select q.item_no from assay.evaluation_queue q
          where q.organization_id = org and q.job_id = p_job and q.state = 'leased'
            and q.lease_token = t.lease_token limit 1) q;
  with freed as (
    update assay.evaluation_queue q
       set state = case when cancelling then 'cancelled' else 'ready' end::assay.item_state,
           lease_expires_at = null, lease_owner = null, available_at = clock_timestamp(),
           attempts = q.attempts - case when q.lease_token = any (p_sent) then 0 else 1 end
     where q.organization_id = org and q.job_id = p_job and q.item_no = any (items) and q.state = 'leased'
       and q.lease_token = any (p_tokens)
    returning q.item_no, q.lease_token
  ), closed as (
    update assay.model_calls c
       set state = case when c.lease_token = any (p_sent) and c.answer is null then 'unknown'
                        else 'settled' end::assay.call_state,
           outcome = 'released', closed_at = clock_timestamp(),
           counts = c.role = 'target' and c.lease_token = any (p_sent),
           assumed = c.lease_token = any (p_sent) and c.answer is null,
           cost_nanousd = case when c.answer is not null then c.cost_nanousd
                               when c.lease_token = any (p_sent) then null else 0 end
      from freed f
     where c.organization_id = org and c.job_id = p_job and c.item_no = any (items)
       and c.item_no = f.item_no and c.lease_token = f.lease_token and c.state = 'intent'
    returning c.state, c.estimate_nanousd, c.cost_nanousd
  )
  update assay.evaluation_jobs j
     set reserved_nanousd = j.reserved_nanousd - s.held, spent_nanousd = j.spent_nanousd + s.paid,
         unpriced_calls = j.unpriced_calls + s.unpriced
    from (select coalesce(sum(estimate_nanousd), 0)::bigint as held,
                 coalesce(sum(case state when 'unknown' then estimate_nanousd else cost_nanousd end), 0)::bigint as paid,
                 count(*) filter (where state = 'unknown' and estimate_nanousd is null
                                     or state = 'settled' and cost_nanousd is null) as unpriced
            from closed) s
   where j.organization_id = org and j.id = p_job;
  return coalesce(cardinality(items), 0);
end $$;

create or replace function assay.reap(p_job uuid, p_lease interval)
returns table (reclaimed bigint, dead bigint, cancelled bigint, ready boolean, leased boolean,
               next_ready_s double precision, state assay.job_state)
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
-- Level-triggered; may run anywhere, at any time, more than once. Takes back leases that ran out - not within
-- one lease of a restart of the server, when every lease looks old - cancels what waits, closes what is done.
-- A lease lost twice makes an item solo; losing it max_crashes times while alone makes it dead.
declare
  org uuid := assay.current_organization();
  job assay.evaluation_jobs;
  cases int;
begin
  select * into strict job from assay.evaluation_jobs j
   where j.organization_id = org and j.id = p_job for no key update;
  with lost as (
    select q.item_no, q.lease_token from assay.evaluation_queue q
     where q.organization_id = org and q.job_id = p_job and q.state = 'leased'
       and q.lease_expires_at < clock_timestamp()
       and (q.lease_expires_at = '-infinity' or clock_timestamp() > pg_postmaster_start_time() + p_lease)
       for no key update skip locked
  ), taken as (
    update assay.evaluation_queue q
       set state = case when q.solo and q.solo_crashes + 1 >= job.max_crashes then 'dead'
                        else 'ready' end::assay.item_state,
           crashes = q.crashes + 1, solo_crashes = q.solo_crashes + q.solo::int,
           solo = q.crashes + 1 >= 2, lease_expires_at = null, lease_owner = null,
           available_at = clock_timestamp(), error_code = 'lease_lost',
           error_message = 'the worker that held this cell died or lost its connection'
      from lost l
     where q.organization_id = org and q.job_id = p_job
       and q.item_no = any (array(select l.item_no from lost l)) and q.item_no = l.item_no
    returning q.state, q.item_no, l.lease_token
  ), closed as (
    update assay.model_calls c
       set state = case when c.answer is null then 'unknown' else 'settled' end::assay.call_state,
           outcome = 'lease_lost', lost = c.role = 'target', assumed = c.answer is null, closed_at = clock_timestamp()
      from taken t
     where c.organization_id = org and c.job_id = p_job
       and c.item_no = any (array(select t.item_no from taken t)) and c.item_no = t.item_no
       and c.lease_token = t.lease_token and c.state = 'intent'
    returning c.state, c.estimate_nanousd, c.cost_nanousd
  ), money as (
    update assay.evaluation_jobs j
       set reserved_nanousd = j.reserved_nanousd - s.held, spent_nanousd = j.spent_nanousd + s.paid,
           unpriced_calls = j.unpriced_calls + s.unpriced
      from (select coalesce(sum(estimate_nanousd), 0)::bigint as held, count(*) as rows,
                   coalesce(sum(case state when 'unknown' then estimate_nanousd else cost_nanousd end), 0)::bigint as paid,
                   count(*) filter (where state = 'unknown' and estimate_nanousd is null
                                       or state = 'settled' and cost_nanousd is null) as unpriced
              from closed) s
     where j.organization_id = org and j.id = p_job and s.rows > 0
  )
  select count(*) filter (where t.state = 'ready'), count(*) filter (where t.state = 'dead')
    into reclaimed, dead from taken t;
  if job.state = 'cancelling' then
    update assay.evaluation_queue q set state = 'cancelled'
     where q.organization_id = org and q.job_id = p_job and q.state = 'ready';
    get diagnostics cancelled = row_count;
  end if;
  ready := exists (select from assay.evaluation_queue q
                    where q.organization_id = org and q.job_id = p_job and q.state = 'ready');
  leased := exists (select from assay.evaluation_queue q
                     where q.organization_id = org and q.job_id = p_job and q.state = 'leased');
  if exists (select from assay.evaluation_queue q
              where q.organization_id = org and q.job_id = p_job and q.state = 'ready'
                and q.available_at <= clock_timestamp()) then
    next_ready_s := 0;
  elsif ready then
    select extract(epoch from min(q.available_at) - clock_timestamp()) into next_ready_s
      from assay.evaluation_queue q
     where q.organization_id = org and q.job_id = p_job and q.state = 'ready';
  end if;
  select v.case_count into cases from assay.dataset_versions v
   where v.organization_id = org and v.id = job.dataset_version_id;
  state := job.state;
  if not ready and not leased and (job.state = 'cancelling' or job.state = 'running'
     and job.expanded_cases >= least(upper(range_merge(job.selection)), cases)) then
    state := case when job.state = 'cancelling' then 'cancelled' else 'completed' end;
    update assay.evaluation_jobs j set state = reap.state, finished_at = clock_timestamp()
     where j.organization_id = org and j.id = p_job;
  end if;
  cancelled := coalesce(cancelled, 0);
  return next;
end $$;

create trigger summarized_again after update on assay.metric_scores
  referencing old table as before new table as after
  for each statement execute function assay.summarize_scores();

revoke execute on function assay.judge_calls, assay.add_scores, assay.close_judge_calls from public;
grant execute on function assay.judge_calls, assay.add_scores, assay.close_judge_calls to assay_app;

comment on column assay.evaluation_jobs.added_metrics is
  'Metrics, and their judges, by which the stored answers were scored after the job was made';
comment on column assay.model_calls.metric is 'The metric for which a judge was asked';
comment on column assay.model_calls.judge is 'Label of the model that judged';
comment on column assay.model_calls.request_key is 'Hash of all that was asked, where the answer is kept';
comment on column assay.model_calls.answer is
  'What was answered, of judges and of what they judge: by it a call need not be made again, and can be replayed';
comment on column assay.metric_scores.calls is 'Calls of judges that it took, without those that the cache answered';
comment on column assay.metric_scores.cost_nanousd is 'What they cost; null is an unknown price';
