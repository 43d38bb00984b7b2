-- Races: cells that wait to be wanted, and cells that are not wanted any more.
--
-- A race (plan -> 'race') has all its cells in the queue like any job, but held back: ready, yet not before
-- assay.held_until(). Whoever steers the race opens cells and, when a candidate is out or the winner is
-- sure, closes those that are left. What was opened and how it ended is all there is to know of a race: nothing
-- of it is kept elsewhere, so that it can be taken up again after any crash.

create function assay.held_until() returns timestamptz
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  -- finite, since before PostgreSQL 17 an infinite time has no distance from now
  select timestamptz '9999-12-31 00:00:00+00'
$$;
comment on function assay.held_until() is 'The available_at of cells that a race has not asked for yet';

create or replace function assay.expand_job(p_job uuid, p_estimates jsonb, p_cases int) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Makes the queue rows of the next p_cases cases; 0 when none is left or the job ends. Idempotent, resumable.
-- p_estimates: [[prompt_no, model_no, base_nanousd, nanousd_per_byte], ...]; nulls are unknown prices.
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
         e.base_nanousd + e.byte_nanousd * octet_length(tc.vars::text), available
    from assay.dataset_cases dc
    join assay.test_cases tc on tc.organization_id = org and tc.id = dc.case_id
   cross join (select (x ->> 0)::smallint as prompt_no, (x ->> 1)::smallint as model_no,
                      (x ->> 2)::bigint as base_nanousd, (x ->> 3)::bigint as byte_nanousd
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

create function assay.open_cells(p_job uuid, p_items bigint[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
-- Lets cells that are held back be claimed; their number. Others are left alone, so that it is idempotent.
declare
  org uuid := assay.current_organization();
  opened bigint;
begin
  perform from assay.evaluation_jobs j
    where j.organization_id = org and j.id = p_job for no key update;
  update assay.evaluation_queue q set available_at = clock_timestamp()
   where q.organization_id = org and q.job_id = p_job and q.item_no = any (p_items)
     and q.state::text = 'ready' and q.available_at = assay.held_until();
  get diagnostics opened = row_count;
  return opened;
end $$;
comment on function assay.open_cells is 'Let cells of a race that were held back be claimed';

create function assay.close_cells(p_job uuid, p_reasons jsonb) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
-- Cancels what still waits of some candidates; the number of cells. What is leased is left to end by itself.
-- p_reasons: [[prompt_no, model_no, message], ...]. Idempotent.
declare
  org uuid := assay.current_organization();
  closed bigint;
begin
  perform from assay.evaluation_jobs j
    where j.organization_id = org and j.id = p_job for no key update;
  update assay.evaluation_queue q
     set state = 'cancelled', error_code = 'race_decided', error_message = r.message
    from (select (x ->> 0)::smallint as prompt_no, (x ->> 1)::smallint as model_no, x ->> 2 as message
            from jsonb_array_elements(p_reasons) x) r
   where q.organization_id = org and q.job_id = p_job and q.state = 'ready'
     and q.prompt_no = r.prompt_no and q.model_no = r.model_no;
  get diagnostics closed = row_count;
  return closed;
end $$;
comment on function assay.close_cells is 'Cancel what still waits of candidates that a race has decided on';

revoke execute on function assay.held_until(), assay.open_cells(uuid, bigint[]),
  assay.close_cells(uuid, jsonb) from public;
grant execute on function assay.held_until(), assay.open_cells(uuid, bigint[]),
  assay.close_cells(uuid, jsonb) to assay_app;
