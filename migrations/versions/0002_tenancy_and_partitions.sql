-- Moves the rows of revision 0001, which stands aside as schema assay_0001, into the tables of the book.
-- Columns that both have are copied; the others take their defaults. Counters, summaries and costs come from the
-- triggers, as if the rows were written now; audit entries are not made of it.

set local role assay_owner;
set local search_path = pg_catalog;
set local assay.migrating = 'on';

-- Row-level security binds the owner too: lifted for the move, in this transaction only.
do $$
declare
  relation record;
begin
  for relation in
    select c.oid::regclass as name from pg_class c
     where c.relnamespace in ('assay'::regnamespace, 'assay_0001'::regnamespace) and c.relkind in ('r', 'p')
       and c.relforcerowsecurity
  loop
    execute format('alter table %s no force row level security', relation.name);
  end loop;
end $$;

do $$
declare
  moved text;
  targets text;
  sources text;
begin
  foreach moved in array array[
    'organizations', 'prompt_templates', 'prompt_versions', 'model_configs', 'test_datasets', 'test_cases',
    'dataset_versions', 'dataset_cases', 'evaluation_jobs', 'job_prompts', 'job_models', 'evaluation_queue',
    'model_calls', 'evaluation_results', 'metric_scores']
  loop
    -- an enum of the old schema is another type than its namesake: through text
    select string_agg(quote_ident(n.attname), ', ' order by n.attnum),
           string_agg(format(case when t.typtype = 'e' then '%I::text::%s' else '%I' end, n.attname,
                             t.oid::regtype), ', ' order by n.attnum)
      into targets, sources
      from pg_attribute n
      join pg_type t on t.oid = n.atttypid
      join pg_attribute o on o.attrelid = ('assay_0001.' || moved)::regclass and o.attname = n.attname
     where n.attrelid = ('assay.' || moved)::regclass and n.attnum > 0;
    execute format('insert into assay.%1$I (%2$s) select %3$s from assay_0001.%1$I', moved, targets, sources);
  end loop;
end $$;

set constraints all immediate;

-- Of jobs that were completed before there was a cache of performance, as if they were completed now.
insert into assay.model_performance_cache
  (organization_id, day, prompt_version_id, model_config_id, metric, jobs, scored, unscored, judged, passed,
   value_sum, square_sum, results, cost_nanousd, unpriced, latency_count, latency_ms_sum, last_job_id)
select s.organization_id, (j.finished_at at time zone 'UTC')::date, jp.prompt_version_id, jm.model_config_id,
       s.metric, count(distinct j.id), sum(s.scored), sum(s.failed + s.abstained + s.skipped), sum(s.judged),
       sum(s.passed), sum(s.value_sum), sum(s.square_sum), sum(c.results), sum(c.cost_nanousd), sum(c.unpriced),
       sum(c.latency_count), sum(c.latency_ms_sum), max(j.id::text)::uuid
  from assay.evaluation_job_summaries s
  join assay.evaluation_jobs j on j.organization_id = s.organization_id and j.id = s.job_id
  join assay.job_candidates c
    on c.organization_id = s.organization_id and c.job_id = s.job_id and c.prompt_no = s.prompt_no
   and c.model_no = s.model_no
  join assay.job_prompts jp
    on jp.organization_id = s.organization_id and jp.job_id = s.job_id and jp.prompt_no = s.prompt_no
  join assay.job_models jm
    on jm.organization_id = s.organization_id and jm.job_id = s.job_id and jm.model_no = s.model_no
 where j.state = 'completed'
 group by 1, 2, 3, 4, 5;
alter table assay.evaluation_jobs disable trigger user;
update assay.evaluation_jobs j
   set summarized_at = case when j.state = 'completed' then clock_timestamp() end, updated_at = o.updated_at,
       progressed_at = coalesce(j.finished_at, o.updated_at)
  from assay_0001.evaluation_jobs o where o.organization_id = j.organization_id and o.id = j.id;
alter table assay.evaluation_jobs enable trigger user;
alter table assay.test_datasets disable trigger user;
update assay.test_datasets d
   set case_count = (select v.case_count from assay.dataset_versions v
                      where v.organization_id = d.organization_id and v.dataset_id = d.id
                      order by v.version desc limit 1);
alter table assay.test_datasets enable trigger user;

-- Later leases must have greater tokens than every earlier one.
select setval('assay.lease_tokens', o.last_value, o.is_called) from assay_0001.lease_tokens o;

do $$
declare
  relation record;
begin
  for relation in
    select c.oid::regclass as name from pg_class c
     where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
  loop
    execute format('alter table %s force row level security', relation.name);
  end loop;
end $$;
reset role;
drop schema assay_0001 cascade;
set local assay.migrating = 'off';
