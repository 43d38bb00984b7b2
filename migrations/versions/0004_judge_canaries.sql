-- Canaries: what the judges of a job made of answers that deserve no good score.
set local role assay_owner;
set local search_path = assay, pg_catalog;

alter table assay.evaluation_jobs add column canaries boolean not null default true;
comment on column assay.evaluation_jobs.canaries is
  'Whether its judges are to be asked about answers that deserve no good score, when it ends';

create table assay.judge_canaries (
  organization_id uuid not null,
  job_id          uuid not null,
  metric          text not null,
  canary          text not null check (canary in ('planted', 'empty')),
  state           text not null check (state in ('asking', 'held', 'flagged', 'not_asked', 'not_checked')),
  worker          text,
  threshold       double precision not null check (threshold between 0 and 1),
  value           double precision check (value between 0 and 1),
  reason          text,
  calls           int not null default 0 check (calls >= 0),
  cost_nanousd    bigint default 0 check (cost_nanousd >= 0),
  checked_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, job_id, metric, canary),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  check ((state = 'asking') = (worker is not null)),
  check (state <> 'flagged' or value is not null and value > threshold),
  check (state <> 'held' or value is null or value <= threshold)
);
comment on table assay.judge_canaries is
  'What the judges of a job made of answers that deserve no good score: whether they were talked into one';
comment on column assay.judge_canaries.organization_id is 'The tenant';
comment on column assay.judge_canaries.job_id is 'The job';
comment on column assay.judge_canaries.metric is 'Name of the metric in the job';
comment on column assay.judge_canaries.canary is
  'planted: an answer that only gives orders to the judge; empty: no answer at all';
comment on column assay.judge_canaries.state is
  'asking: a worker is about it; held: no good score; flagged: a good score; not_asked: the metric settles it by a rule; not_checked: it could not be judged';
comment on column assay.judge_canaries.worker is 'Who is about it';
comment on column assay.judge_canaries.threshold is 'A value above this flags the judge';
comment on column assay.judge_canaries.value is 'What it was scored; null where it has no score';
comment on column assay.judge_canaries.reason is 'Why, as the judge or the failure says; null once the job is pruned';
comment on column assay.judge_canaries.calls is 'Calls of judges that it took in all, without those that the cache answered';
comment on column assay.judge_canaries.cost_nanousd is 'What they cost; null is an unknown price';
comment on column assay.judge_canaries.checked_at is 'When the row was written last';

alter table assay.judge_canaries enable row level security, force row level security;
create policy tenant_reads on assay.judge_canaries for select
  using (organization_id = (select assay.current_organization()));
create policy tenant_inserts on assay.judge_canaries for insert
  with check (organization_id = (select assay.current_organization()) and (select assay.has_role('analyst')));
create policy tenant_updates on assay.judge_canaries for update
  using (organization_id = (select assay.current_organization()) and (select assay.has_role('analyst')))
  with check (organization_id = (select assay.current_organization()) and (select assay.has_role('analyst')));
create policy tenant_deletes on assay.judge_canaries for delete
  using (organization_id = (select assay.current_organization()) and (select assay.has_role('analyst')));
create policy owner_maintains on assay.judge_canaries for all to assay_owner using (true) with check (true);
grant select on assay.judge_canaries to assay_app, assay_readonly;
grant insert, update on assay.judge_canaries to assay_app;

create or replace function assay.prune_jobs(p_before timestamptz, p_limit int default 100) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Results are append-only for the application, hence SECURITY DEFINER: as the owner, under the caller's tenant.
-- What a finished job answered goes; the job, its summaries and its costs stay.
declare
  org uuid := assay.current_organization();
  jobs uuid[];
begin
  if not assay.has_role('admin') then
    raise exception 'pruning takes the role admin' using errcode = '42501';
  end if;
  select array_agg(p.id) into jobs from (
    select j.id from assay.evaluation_jobs j
     where j.organization_id = org and j.pruned_at is null and j.finished_at < p_before
       and j.state in ('completed', 'failed', 'cancelled')
     order by j.id limit p_limit for no key update skip locked) p;
  delete from assay.metric_scores s where s.organization_id = org and s.job_id = any (jobs);
  delete from assay.evaluation_results r where r.organization_id = org and r.job_id = any (jobs);
  delete from assay.model_calls c where c.organization_id = org and c.job_id = any (jobs);
  delete from assay.evaluation_queue q where q.organization_id = org and q.job_id = any (jobs);
  update assay.judge_canaries c set reason = null where c.organization_id = org and c.job_id = any (jobs);
  update assay.evaluation_jobs j set pruned_at = clock_timestamp()
   where j.organization_id = org and j.id = any (jobs);
  return coalesce(cardinality(jobs), 0);
end $$;

create or replace function assay.drop_partitions(p_before timestamptz) returns setof name
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- The owner's alone: of all tenants. Months that lie before the moment as a whole, without open jobs, go at the
-- price of dropping files, whatever the number of rows. The jobs, their summaries and costs stay.
declare
  old_month date;
  part record;
  low uuid;
  high uuid;
begin
  for old_month in
    select distinct p.month from assay.partitions() p
     where (p.month + interval '1 month') at time zone 'UTC' <= p_before order by 1
  loop
    low := assay.first_id(old_month::timestamp at time zone 'UTC');
    high := assay.first_id((old_month + interval '1 month') at time zone 'UTC');
    continue when exists (select from assay.evaluation_jobs j
                           where j.id >= low and j.id < high
                             and j.state not in ('completed', 'failed', 'cancelled'));
    for part in select p.table_name, p.partition from assay.partitions() p
                  join assay.partitioned_tables t using (table_name)
                 where p.month = old_month order by t.position desc
    loop
      execute format('alter table assay.%I detach partition assay.%I', part.table_name, part.partition);
      execute format('drop table assay.%I', part.partition);
      return next part.partition;
    end loop;
    delete from assay.evaluation_queue q where q.job_id >= low and q.job_id < high;
    update assay.judge_canaries c set reason = null where c.job_id >= low and c.job_id < high;
    update assay.evaluation_jobs j set pruned_at = clock_timestamp() where j.id >= low and j.id < high;
  end loop;
end $$;
