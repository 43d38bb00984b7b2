-- Assay: the schema as a book.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f migrations/create_evaluation_tables.sql
--
-- on an empty PostgreSQL 15 or newer is a complete install; Alembic runs the same text as revision 0001.
-- It needs no extension and no superuser: the right to create roles and a schema is enough.
--
--   1. roles and schema          4. prompts, models        7. results, scores
--   2. identifiers, tenancy      5. data sets              8. claim, record, heartbeat, release, reap
--   3. organizations             6. jobs, queue, ledger    9. views, row-level security, grants
--
-- Conventions: money is in billionths of a US dollar (nanousd), times are timestamptz, every table of a
-- tenant begins its keys with organization_id, and every foreign key carries it, so that no row can point
-- into another tenant. Time comes from the database alone: clocks of workers are never compared.

begin;

-- 1. Roles and schema ---------------------------------------------------------------------------------------
--
-- assay_owner     owns everything, runs migrations, cannot log in
-- assay_app       what the command line, the API and the workers are: subject to row-level security
-- assay_readonly  dashboards and notebooks: reads the views

do $$
declare
  wanted text;
begin
  foreach wanted in array array['assay_owner nologin', 'assay_app login', 'assay_readonly login'] loop
    if not exists (select from pg_roles where rolname = split_part(wanted, ' ', 1)) then
      begin
        execute format('create role %s noinherit', wanted);
      exception when duplicate_object or unique_violation then
        -- roles belong to the whole server: the install of another database was a moment faster
        null;
      end;
    end if;
  end loop;
  -- whoever installs must be able to act as the owner, and may act as the application
  execute format('grant assay_owner, assay_app, assay_readonly to %I', current_user);
end $$;

create schema if not exists assay;
do $$ begin execute format('grant create on database %I to assay_owner', current_database()); end $$;
alter schema assay owner to assay_owner;
set local role assay_owner;
set local search_path = assay, pg_catalog;
comment on schema assay is 'Assay: evaluation of prompts and models';

-- 2. Identifiers and tenancy --------------------------------------------------------------------------------

create function assay.new_id() returns uuid
language sql volatile parallel safe set search_path = pg_catalog, pg_temp as $$
  -- UUIDv7 (RFC 9562): 48 bits of milliseconds over a random version-4 value, with the version set to 7
  select encode(
    set_bit(set_bit(overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
      from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;
comment on function assay.new_id() is 'A time-ordered identifier (UUIDv7)';

create function assay.current_organization() returns uuid
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
  select coalesce(
    nullif(current_setting('assay.organization_id', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'organization_id',
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'organization_id'
  )::uuid
$$;
comment on function assay.current_organization() is
  'The tenant of this transaction: our own setting, else the claims that Supabase sets; null sees nothing';

create function assay.touch() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end $$;

create function assay.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'P0403';
end $$;

create type assay.user_role as enum ('viewer', 'analyst', 'manager', 'admin', 'owner');

create function assay.has_role(minimum assay.user_role) returns boolean
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$ select minimum is not null $$;
comment on function assay.has_role(assay.user_role) is 'Whether the caller of this transaction has at least this role';

-- 3. Organizations ------------------------------------------------------------------------------------------

create table assay.organizations (
  id          uuid primary key default assay.new_id(),
  name        text not null check (length(name) between 1 and 200),
  created_at  timestamptz not null default clock_timestamp()
);
comment on table assay.organizations is 'Tenants: nothing is shared between two of them';

-- 4. Prompts and models -------------------------------------------------------------------------------------

create table assay.prompt_templates (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  description     text not null default '',
  tags            text[] not null default '{}',
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name)
);
comment on table assay.prompt_templates is 'A prompt by name; its texts are its versions';

create table assay.prompt_versions (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  template_id     uuid not null,
  version         int not null check (version >= 1),
  content_hash    bytea not null check (length(content_hash) = 32),
  messages        jsonb not null check (jsonb_typeof(messages) = 'array'),
  tools           jsonb not null default '[]',
  response_format jsonb,
  note            text not null default '',
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, template_id, id),
  unique (organization_id, template_id, version),
  unique (organization_id, template_id, content_hash),
  foreign key (organization_id, template_id) references assay.prompt_templates (organization_id, id)
);
comment on table assay.prompt_versions is 'Immutable texts of a prompt, told apart by their content hash';
create trigger immutable before update or delete on assay.prompt_versions
  for each row execute function assay.refuse_change();

create table assay.prompt_labels (
  organization_id   uuid not null,
  template_id       uuid not null,
  label             text not null check (label ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  prompt_version_id uuid not null,
  minimum_role      assay.user_role not null default 'analyst',
  updated_at        timestamptz not null default clock_timestamp(),
  updated_by        uuid,
  primary key (organization_id, template_id, label),
  foreign key (organization_id, template_id, prompt_version_id)
    references assay.prompt_versions (organization_id, template_id, id)
);
comment on table assay.prompt_labels is 'Names that move between the versions of a prompt: production, staging, ...';

create table assay.prompt_label_moves (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  template_id     uuid not null,
  label           text not null,
  from_version_id uuid,
  to_version_id   uuid,
  moved_at        timestamptz not null default clock_timestamp(),
  moved_by        uuid,
  primary key (organization_id, id),
  foreign key (organization_id, template_id) references assay.prompt_templates (organization_id, id)
);
comment on table assay.prompt_label_moves is 'Every move of a label; to nothing when it was taken away';
create index prompt_label_moves_of on assay.prompt_label_moves (organization_id, template_id, id);
create trigger immutable before update or delete on assay.prompt_label_moves
  for each row execute function assay.refuse_change();

create function assay.guard_label() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op <> 'INSERT' and not assay.has_role(old.minimum_role) then
    raise exception 'the label % needs the role %', old.label, old.minimum_role using errcode = '42501';
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  if not assay.has_role(new.minimum_role) then
    raise exception 'the label % needs the role %', new.label, new.minimum_role using errcode = '42501';
  end if;
  new.updated_at := clock_timestamp();
  return new;
end $$;

create function assay.note_label_move() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into assay.prompt_label_moves (organization_id, template_id, label, to_version_id, moved_by)
    values (new.organization_id, new.template_id, new.label, new.prompt_version_id, new.updated_by);
  elsif tg_op = 'DELETE' then
    insert into assay.prompt_label_moves (organization_id, template_id, label, from_version_id)
    values (old.organization_id, old.template_id, old.label, old.prompt_version_id);
  elsif new.prompt_version_id <> old.prompt_version_id then
    insert into assay.prompt_label_moves
      (organization_id, template_id, label, from_version_id, to_version_id, moved_by)
    values (new.organization_id, new.template_id, new.label, old.prompt_version_id, new.prompt_version_id,
            new.updated_by);
  end if;
  return null;
end $$;
create trigger guarded before insert or update or delete on assay.prompt_labels
  for each row execute function assay.guard_label();
create trigger noted after insert or update or delete on assay.prompt_labels
  for each row execute function assay.note_label_move();

create table assay.model_configs (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  content_hash    bytea not null check (length(content_hash) = 32),
  provider        text not null,
  model           text not null,
  base_url        text,
  parameters      jsonb not null default '{}',
  options         jsonb not null default '{}',
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name, content_hash)
);
comment on table assay.model_configs is 'A model with its endpoint and parameters; never a key';
create trigger immutable before update or delete on assay.model_configs
  for each row execute function assay.refuse_change();

-- 5. Data sets ----------------------------------------------------------------------------------------------
--
-- A version is a list of references: a case that did not change is stored once, whatever the number of versions.

create table assay.test_datasets (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  description     text not null default '',
  tags            text[] not null default '{}',
  case_count      int not null default 0,
  version_count   int not null default 0,
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name)
);
comment on column assay.test_datasets.case_count is 'Cases of the newest version';
comment on table assay.test_datasets is 'A data set by name';

create table assay.dataset_versions (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  dataset_id      uuid not null,
  version         int not null check (version >= 1),
  content_hash    bytea not null check (length(content_hash) = 32),
  case_count      int not null check (case_count >= 1),
  note            text not null default '',
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, dataset_id, id),
  unique (organization_id, dataset_id, version),
  unique (organization_id, dataset_id, content_hash),
  foreign key (organization_id, dataset_id) references assay.test_datasets (organization_id, id)
);
comment on table assay.dataset_versions is 'An immutable, ordered list of cases; the hash is over the hashes of its cases';
create trigger immutable before update or delete on assay.dataset_versions
  for each row execute function assay.refuse_change();

create function assay.count_dataset_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update assay.test_datasets d set case_count = new.case_count, version_count = d.version_count + 1
   where d.organization_id = new.organization_id and d.id = new.dataset_id;
  return null;
end $$;
create trigger counted after insert on assay.dataset_versions
  for each row execute function assay.count_dataset_version();

create table assay.dataset_labels (
  organization_id    uuid not null,
  dataset_id         uuid not null,
  label              text not null check (label ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  dataset_version_id uuid not null,
  minimum_role       assay.user_role not null default 'analyst',
  updated_at         timestamptz not null default clock_timestamp(),
  updated_by         uuid,
  primary key (organization_id, dataset_id, label),
  foreign key (organization_id, dataset_id, dataset_version_id)
    references assay.dataset_versions (organization_id, dataset_id, id)
);
comment on table assay.dataset_labels is 'Names that move between the versions of a data set';
create trigger guarded before insert or update or delete on assay.dataset_labels
  for each row execute function assay.guard_label();

create table assay.test_cases (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  dataset_id      uuid not null,
  content_hash    bytea not null check (length(content_hash) = 32),
  key             text not null check (length(key) between 1 and 500),
  vars            jsonb not null,
  expected        jsonb,
  context         jsonb,
  metadata        jsonb,
  tags            text[] not null default '{}',
  cluster         text,
  weight          double precision not null default 1 check (weight >= 0),
  primary key (organization_id, id),
  unique (organization_id, dataset_id, content_hash),
  foreign key (organization_id, dataset_id) references assay.test_datasets (organization_id, id)
);
comment on table assay.test_cases is 'Cases by content; "cluster" names the source that dependent cases share';
create trigger immutable before update or delete on assay.test_cases
  for each row execute function assay.refuse_change();

create table assay.dataset_cases (
  organization_id    uuid not null,
  dataset_version_id uuid not null,
  case_no            int not null check (case_no >= 0),
  case_id            uuid not null,
  split              text check (split in ('train', 'validation', 'test', 'holdout')),
  primary key (organization_id, dataset_version_id, case_no),
  foreign key (organization_id, dataset_version_id) references assay.dataset_versions (organization_id, id),
  foreign key (organization_id, case_id) references assay.test_cases (organization_id, id)
);
comment on table assay.dataset_cases is 'Which cases a version holds, in order';
create trigger immutable before update or delete on assay.dataset_cases
  for each row execute function assay.refuse_change();

-- 6. Jobs, queue, ledger ------------------------------------------------------------------------------------

create type assay.job_state as enum
  ('draft', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelling', 'cancelled');
create type assay.item_state as enum ('ready', 'leased', 'succeeded', 'failed', 'dead', 'cancelled');
create type assay.call_state as enum ('intent', 'settled', 'unknown');
create type assay.call_role as enum ('target', 'judge', 'optimizer');
create type assay.score_state as enum ('scored', 'failed', 'abstained', 'skipped');

create table assay.state_transitions (
  entity     text not null check (entity in ('job', 'item')),
  from_state text not null,
  to_state   text not null,
  primary key (entity, from_state, to_state)
);
comment on table assay.state_transitions is 'The only legal moves of jobs and items; a trigger holds them';
insert into assay.state_transitions values
  ('item', 'ready', 'leased'), ('item', 'ready', 'cancelled'),
  ('item', 'leased', 'ready'), ('item', 'leased', 'succeeded'), ('item', 'leased', 'failed'),
  ('item', 'leased', 'dead'), ('item', 'leased', 'cancelled'),
  ('item', 'failed', 'ready'), ('item', 'dead', 'ready'),
  ('job', 'draft', 'queued'), ('job', 'draft', 'cancelled'),
  ('job', 'queued', 'running'), ('job', 'queued', 'paused'), ('job', 'queued', 'cancelling'),
  ('job', 'running', 'paused'), ('job', 'running', 'completed'), ('job', 'running', 'failed'),
  ('job', 'running', 'cancelling'),
  ('job', 'paused', 'running'), ('job', 'paused', 'cancelling'),
  ('job', 'cancelling', 'cancelled');

create table assay.evaluation_jobs (
  organization_id    uuid not null references assay.organizations (id),
  id                 uuid not null default assay.new_id(),
  parent_job_id      uuid,
  name               text not null check (length(name) between 1 and 200),
  description        text not null default '',
  state              assay.job_state not null default 'draft',
  stop_reason        text,
  plan               jsonb not null,
  config_hash        bytea not null check (length(config_hash) = 32),
  dataset_version_id uuid not null,
  selection          int4multirange,
  prompt_count       smallint not null check (prompt_count >= 1),
  model_count        smallint not null check (model_count >= 1),
  repeat_count       smallint not null check (repeat_count >= 1),
  planned            bigint not null check (planned >= 0),
  expanded_cases     int not null default 0,
  cap_nanousd        bigint check (cap_nanousd >= 0),
  reserved_nanousd   bigint not null default 0 check (reserved_nanousd >= 0),
  spent_nanousd      bigint not null default 0 check (spent_nanousd >= 0),
  unpriced_calls     bigint not null default 0 check (unpriced_calls >= 0),
  max_attempts       smallint not null default 6 check (max_attempts >= 1),
  max_crashes        smallint not null default 3 check (max_crashes >= 1),
  request_key        text,
  receipt            jsonb not null default '{}',
  created_at         timestamptz not null default clock_timestamp(),
  updated_at         timestamptz not null default clock_timestamp(),
  started_at         timestamptz,
  finished_at        timestamptz,
  primary key (organization_id, id),
  unique (organization_id, request_key),
  foreign key (organization_id, parent_job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, dataset_version_id) references assay.dataset_versions (organization_id, id)
);
comment on table assay.evaluation_jobs is 'A grid of prompt versions x model configs x cases x repeats';
comment on column assay.evaluation_jobs.plan is 'All that decides the answers, frozen: prompts, models, metrics, variables';
comment on column assay.evaluation_jobs.selection is 'Which case numbers of the data set take part; null is all';
comment on column assay.evaluation_jobs.expanded_cases is 'Cases below this number have their queue rows';
comment on column assay.evaluation_jobs.cap_nanousd is 'Hard budget: spent + reserved never exceeds it; null is none';
comment on column assay.evaluation_jobs.unpriced_calls is 'Calls whose price is unknown: they are not in spent_nanousd';
create index evaluation_jobs_recent on assay.evaluation_jobs (organization_id, created_at desc);
create trigger touched before update on assay.evaluation_jobs for each row execute function assay.touch();

create table assay.job_prompts (
  organization_id   uuid not null,
  job_id            uuid not null,
  prompt_no         smallint not null check (prompt_no >= 0),
  prompt_version_id uuid not null,
  name              text not null,
  primary key (organization_id, job_id, prompt_no),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, prompt_version_id) references assay.prompt_versions (organization_id, id)
);
comment on table assay.job_prompts is 'The prompt versions of a job, by their number in its grid';

create table assay.job_models (
  organization_id uuid not null,
  job_id          uuid not null,
  model_no        smallint not null check (model_no >= 0),
  model_config_id uuid not null,
  name            text not null,
  primary key (organization_id, job_id, model_no),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, model_config_id) references assay.model_configs (organization_id, id)
);
comment on table assay.job_models is 'The models of a job, by their number in its grid';

create sequence assay.lease_tokens;
comment on sequence assay.lease_tokens is 'Fencing tokens: a later lease has a greater one, in the whole database';

create table assay.evaluation_queue (
  organization_id  uuid not null,
  job_id           uuid not null,
  item_no          bigint not null check (item_no >= 0),
  case_no          int not null,
  prompt_no        smallint not null,
  model_no         smallint not null,
  repeat_no        smallint not null,
  state            assay.item_state not null default 'ready',
  solo             boolean not null default false,
  priority         smallint not null default 5 check (priority between 0 and 9),
  attempts         smallint not null default 0 check (attempts >= 0),
  crashes          smallint not null default 0,
  solo_crashes     smallint not null default 0,
  available_at     timestamptz not null default clock_timestamp(),
  estimate_nanousd bigint check (estimate_nanousd >= 0),
  lease_token      bigint,
  lease_owner      text,
  lease_expires_at timestamptz,
  error_code       text,
  error_message    text,
  primary key (organization_id, job_id, item_no),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  check ((state = 'leased') = (lease_expires_at is not null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.4);
comment on table assay.evaluation_queue is 'One row a cell of the grid: the work, who holds it, and how it ended';
comment on column assay.evaluation_queue.item_no is
  '((case_no * prompts + prompt_no) * models + model_no) * repeats + repeat_no: stable whatever the order of work';
comment on column assay.evaluation_queue.lease_expires_at is
  'Set while the item is leased. Lookups by key ask for this, not for the state: see section 8';
comment on column assay.evaluation_queue.solo is 'Its lease was lost twice: run alone, so that only it can be blamed';
comment on column assay.evaluation_queue.estimate_nanousd is 'Upper bound of one attempt; null is an unknown price';
create index evaluation_queue_ready on assay.evaluation_queue
  (organization_id, job_id, solo, priority, available_at, item_no) where state = 'ready';
create index evaluation_queue_leased on assay.evaluation_queue
  (organization_id, job_id, lease_token) where state = 'leased';

create table assay.model_calls (
  organization_id     uuid not null,
  job_id              uuid not null,
  item_no             bigint not null,
  lease_token         bigint not null,
  call_no             smallint not null check (call_no >= 1),
  role                assay.call_role not null default 'target',
  state               assay.call_state not null default 'intent',
  outcome             text,
  worker              text,
  lost                boolean not null default false,
  assumed             boolean not null default false,
  counts              boolean not null default true,
  estimate_nanousd    bigint,
  cost_nanousd        bigint,
  price_version       text,
  input_tokens        int,
  output_tokens       int,
  cached_tokens       int,
  cache_write_tokens  int,
  reasoning_tokens    int,
  latency_ms          real,
  http_status         smallint,
  provider_request_id text,
  error_message       text,
  opened_at           timestamptz not null default clock_timestamp(),
  closed_at           timestamptz,
  primary key (organization_id, job_id, item_no, lease_token, call_no),
  foreign key (organization_id, job_id, item_no)
    references assay.evaluation_queue (organization_id, job_id, item_no),
  check ((state = 'intent') = (closed_at is null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.4);
comment on table assay.model_calls is
  'The ledger: one row an attempt. The intent is committed before the bytes leave; "unknown" may have been paid';

comment on column assay.model_calls.lost is 'Its lease ran out before an outcome was stored';
comment on column assay.model_calls.assumed is
  'It was or is "unknown": its estimate was taken as spent until the truth came';
comment on column assay.model_calls.counts is
  'Whether it is one of the attempts of its item: not if the provider asked to wait, or nothing was sent';

create function assay.guard_transition() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from assay.state_transitions t
                  where t.entity = tg_argv[0] and t.from_state = old.state::text and t.to_state = new.state::text) then
    raise exception 'illegal % transition % -> %', tg_argv[0], old.state, new.state using errcode = 'P0401';
  end if;
  return new;
end $$;

create function assay.guard_lease() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'a lease needs a token greater than the last one' using errcode = 'P0402';
end $$;

create trigger legal_state before update of state on assay.evaluation_jobs
  for each row when (old.state is distinct from new.state) execute function assay.guard_transition('job');
create trigger legal_state before update of state on assay.evaluation_queue
  for each row when (old.state is distinct from new.state) execute function assay.guard_transition('item');
create trigger fresh_lease before update on assay.evaluation_queue
  for each row when (
    new.lease_token < old.lease_token or (new.lease_token is null and old.lease_token is not null)
    or (new.state = 'leased' and old.state <> 'leased' and new.lease_token is not distinct from old.lease_token))
  execute function assay.guard_lease();

-- 7. Results and scores -------------------------------------------------------------------------------------

create table assay.evaluation_results (
  organization_id     uuid not null,
  job_id              uuid not null,
  item_no             bigint not null,
  lease_token         bigint not null,
  case_no             int not null,
  prompt_no           smallint not null,
  model_no            smallint not null,
  repeat_no           smallint not null,
  output              text not null,
  output_bytes        bytea,
  finish              text not null
    check (finish in ('complete', 'truncated', 'filtered', 'refused', 'tool', 'paused', 'other')),
  finish_reason       text,
  tool_calls          jsonb,
  latency_ms          real,
  ttft_ms             real,
  input_tokens        int,
  output_tokens       int,
  cached_tokens       int,
  cache_write_tokens  int,
  reasoning_tokens    int,
  cost_nanousd        bigint,
  cached              boolean not null default false,
  model_reported      text,
  fingerprint         text,
  answered_by         text,
  request_key         bytea,
  created_at          timestamptz not null default clock_timestamp(),
  primary key (organization_id, job_id, item_no),
  foreign key (organization_id, job_id, item_no)
    references assay.evaluation_queue (organization_id, job_id, item_no)
);
comment on table assay.evaluation_results is 'What was answered in each cell; append-only';
comment on column assay.evaluation_results.output_bytes is
  'The answer as it came (UTF-8), when PostgreSQL could not hold it as text: NUL characters, lone surrogates';
comment on column assay.evaluation_results.cost_nanousd is 'null is an unknown price; 0 for a cached answer';
comment on column assay.evaluation_results.request_key is 'Hash of all that was asked: by it a later job finds the answer';
create index evaluation_results_answers on assay.evaluation_results (organization_id, request_key) where not cached;
create trigger immutable before update or delete on assay.evaluation_results
  for each row execute function assay.refuse_change();

create table assay.metric_scores (
  organization_id uuid not null,
  job_id          uuid not null,
  item_no         bigint not null,
  metric          text not null,
  version         text not null,
  state           assay.score_state not null,
  value           double precision check (value > '-Infinity' and value < 'Infinity'),
  passed          boolean,
  reason          text not null,
  evidence        jsonb,
  primary key (organization_id, job_id, item_no, metric),
  foreign key (organization_id, job_id, item_no)
    references assay.evaluation_results (organization_id, job_id, item_no),
  check ((state = 'scored') = (value is not null))
);
comment on table assay.metric_scores is 'One metric on one result; only a score that is "scored" has a value';

-- 8. Claim, record, heartbeat, release, reap ------------------------------------------------------------------
--
-- All run as the caller, under row-level security. Whoever takes both takes the job's row before its items,
-- except `record`, which takes the job's row last and never waits for an item that it does not hold.
--
-- A job that was made a second ago has no statistics, and to a planner without statistics every index that
-- begins like the right one looks as good. So the big tables have no two indexes that could serve one lookup:
-- rows of a batch are found by `= any (array)` in the primary key, and whether an item is leased is then told
-- by lease_expires_at, which the partial indexes (where state = ...) cannot answer.

create function assay.expand_job(p_job uuid, p_estimates jsonb, p_cases int) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Makes the queue rows of the next p_cases cases; 0 when none is left or the job ends. Idempotent, resumable.
-- p_estimates: [[prompt_no, model_no, base_nanousd, nanousd_per_byte], ...]; nulls are unknown prices.
declare
  org uuid := assay.current_organization();
  job assay.evaluation_jobs;
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
  insert into assay.evaluation_queue
    (organization_id, job_id, item_no, case_no, prompt_no, model_no, repeat_no, estimate_nanousd)
  select org, p_job,
         ((dc.case_no::bigint * job.prompt_count + e.prompt_no) * job.model_count + e.model_no)
           * job.repeat_count + r.repeat_no,
         dc.case_no, e.prompt_no, e.model_no, r.repeat_no,
         e.base_nanousd + e.byte_nanousd * octet_length(tc.vars::text)
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

create function assay.claim(p_job uuid, p_worker text, p_count int, p_lease interval,
                            p_solo boolean default false, p_skip_models smallint[] default '{}')
returns table (item_no bigint, lease_token bigint, attempt smallint, prompt_no smallint, model_no smallint,
               repeat_no smallint, estimate_nanousd bigint, case_key text, vars jsonb, expected jsonb,
               context jsonb, metadata jsonb, tags text[], cluster text, weight double precision)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
-- One transaction: leases with fencing tokens, reservation of their money, and the ledger's intents.
-- No more items are admitted than the budget has room for.
declare
  org uuid := assay.current_organization();
  job assay.evaluation_jobs;
  room bigint;
  items bigint[];
  needed bigint;
begin
  select * into job from assay.evaluation_jobs j
   where j.organization_id = org and j.id = p_job and j.state in ('queued', 'running') for no key update;
  if not found then
    return;
  end if;
  room := job.cap_nanousd - job.spent_nanousd - job.reserved_nanousd;
  with picked as (
    select q.item_no, q.estimate_nanousd, q.priority, q.available_at
      from assay.evaluation_queue q
     where q.organization_id = org and q.job_id = p_job and q.state = 'ready' and q.solo = p_solo
       and q.available_at <= clock_timestamp() and q.model_no <> all (p_skip_models)
     order by q.priority, q.available_at, q.item_no
     limit p_count for no key update skip locked
  )
  select array_agg(p.item_no), coalesce(sum(p.estimate_nanousd), 0) into items, needed
    from (select k.*, sum(coalesce(k.estimate_nanousd, 0))
                        over (order by k.priority, k.available_at, k.item_no) as so_far
            from picked k) p
   where room is null or p.so_far <= room;
  if items is null then
    return;
  end if;
  return query
  with leased as (
    update assay.evaluation_queue q
       set state = 'leased', lease_token = nextval('assay.lease_tokens'), lease_owner = p_worker,
           lease_expires_at = clock_timestamp() + p_lease, attempts = q.attempts + 1
     where q.organization_id = org and q.job_id = p_job and q.item_no = any (items)
    returning q.item_no, q.lease_token, q.attempts, q.case_no, q.prompt_no, q.model_no, q.repeat_no,
              q.estimate_nanousd
  ), intents as (
    insert into assay.model_calls
      (organization_id, job_id, item_no, lease_token, call_no, worker, estimate_nanousd)
    select org, p_job, l.item_no, l.lease_token, 1, p_worker, l.estimate_nanousd from leased l
  )
  select l.item_no, l.lease_token, l.attempts, l.prompt_no, l.model_no, l.repeat_no, l.estimate_nanousd,
         c.key, c.vars, c.expected, c.context, c.metadata, c.tags, c.cluster, c.weight
    from leased l
   cross join lateral (
         select d.case_id from assay.dataset_cases d
          where d.organization_id = org and d.dataset_version_id = job.dataset_version_id
            and d.case_no = l.case_no limit 1) d
   cross join lateral (
         select t.* from assay.test_cases t
          where t.organization_id = org and t.id = d.case_id limit 1) c
   order by l.item_no;
  update assay.evaluation_jobs j
     set state = 'running', started_at = coalesce(j.started_at, clock_timestamp()), stop_reason = null,
         reserved_nanousd = j.reserved_nanousd + needed
   where j.organization_id = org and j.id = p_job;
end $$;
comment on function assay.claim is 'Lease up to p_count ready items of a job, with money and intents, in one transaction';

create function assay.settle_calls(p_job uuid, p_batch jsonb) returns void
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
      error_message text)
  ), closed as (
    update assay.model_calls c
       set state = 'settled', closed_at = coalesce(c.closed_at, clock_timestamp()), outcome = b.outcome,
           counts = c.assumed or b.counts is not false, cost_nanousd = b.cost_nanousd,
           price_version = b.price_version, input_tokens = b.input_tokens, output_tokens = b.output_tokens,
           cached_tokens = b.cached_tokens, cache_write_tokens = b.cache_write_tokens,
           reasoning_tokens = b.reasoning_tokens, latency_ms = b.call_latency_ms, http_status = b.http_status,
           provider_request_id = b.provider_request_id, error_message = b.error_message
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

create function assay.record(p_job uuid, p_batch jsonb)
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
      (organization_id, job_id, item_no, metric, version, state, value, passed, reason, evidence)
    select org, p_job, m.item_no, s ->> 0, s ->> 1, (s ->> 2)::assay.score_state,
           (s ->> 3)::double precision, (s ->> 4)::boolean, s ->> 5, nullif(s -> 6, 'null')
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
comment on function assay.record is
  'Store a batch of outcomes: the new state of each item, or "already", or "fenced" when the lease was lost';

create function assay.next_attempt(p_job uuid, p_batch jsonb)
returns table (item_no bigint, lease_token bigint)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
-- A failed attempt is closed and the intent of the next one opened, before its bytes leave. Idempotent.
-- Only items that are still leased by this token come back.
declare
  org uuid := assay.current_organization();
begin
  perform assay.settle_calls(p_job, p_batch);
  with batch as materialized (
    select * from jsonb_to_recordset(p_batch) as b (item_no bigint, lease_token bigint, call_no smallint, counts boolean)
  ), held as (
    update assay.evaluation_queue q set attempts = q.attempts + (b.counts is not false)::int
      from batch b
     where q.organization_id = org and q.job_id = p_job
       and q.item_no = any (array(select b.item_no from batch b))
       and q.item_no = b.item_no and q.lease_token = b.lease_token and q.lease_expires_at is not null
       and not exists (select from assay.model_calls c
                        where c.organization_id = org and c.job_id = p_job and c.item_no = b.item_no
                          and c.lease_token = b.lease_token and c.call_no = b.call_no + 1)
    returning q.item_no, q.lease_token, b.call_no, q.lease_owner, q.estimate_nanousd
  ), intents as (
    insert into assay.model_calls
      (organization_id, job_id, item_no, lease_token, call_no, worker, estimate_nanousd)
    select org, p_job, h.item_no, h.lease_token, h.call_no + 1, h.lease_owner, h.estimate_nanousd from held h
  )
  update assay.evaluation_jobs j
     set reserved_nanousd = j.reserved_nanousd
           + (select coalesce(sum(h.estimate_nanousd), 0)::bigint from held h)
   where j.organization_id = org and j.id = p_job;
  return query
  with batch as materialized (
    select * from jsonb_to_recordset(p_batch) as b (item_no bigint, lease_token bigint)
  )
  select q.item_no, q.lease_token
    from assay.evaluation_queue q join batch b using (item_no, lease_token)
   where q.organization_id = org and q.job_id = p_job
     and q.item_no = any (array(select b.item_no from batch b)) and q.lease_expires_at is not null;
end $$;

create function assay.heartbeat(p_job uuid, p_tokens bigint[], p_lease interval) returns setof bigint
language sql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
-- Extends leases; a token that does not come back is lost and its work must stop. Waits for nobody, so that
-- it cannot deadlock with a batch that is being stored: what another transaction has locked is held still.
  with held as materialized (
    select q.item_no, t.lease_token
      from unnest(p_tokens) as t (lease_token)
     cross join lateral (
           select q.item_no from assay.evaluation_queue q
            where q.organization_id = (select assay.current_organization()) and q.job_id = p_job
              and q.state = 'leased' and q.lease_token = t.lease_token limit 1) q
     where exists (select from assay.evaluation_jobs j
                    where j.organization_id = (select assay.current_organization()) and j.id = p_job
                      and j.state in ('running', 'paused'))
  ), free as materialized (
    select q.item_no
      from assay.evaluation_queue q
     where q.organization_id = (select assay.current_organization()) and q.job_id = p_job
       and q.item_no = any (array(select h.item_no from held h)) and q.lease_token = any (p_tokens)
       and q.lease_expires_at is not null
       for no key update skip locked
  ), extended as (
    update assay.evaluation_queue q set lease_expires_at = clock_timestamp() + p_lease
     where q.organization_id = (select assay.current_organization()) and q.job_id = p_job
       and q.item_no = any (array(select f.item_no from free f))
  )
  select h.lease_token from held h
$$;

create function assay.release(p_job uuid, p_tokens bigint[], p_sent bigint[]) returns bigint
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
       set state = case when c.lease_token = any (p_sent) then 'unknown' else 'settled' end::assay.call_state,
           outcome = 'released', closed_at = clock_timestamp(), counts = c.lease_token = any (p_sent),
           assumed = c.lease_token = any (p_sent),
           cost_nanousd = case when c.lease_token = any (p_sent) then null else 0 end
      from freed f
     where c.organization_id = org and c.job_id = p_job and c.item_no = any (items)
       and c.item_no = f.item_no and c.lease_token = f.lease_token and c.state = 'intent'
    returning c.state, c.estimate_nanousd
  )
  update assay.evaluation_jobs j
     set reserved_nanousd = j.reserved_nanousd - s.held, spent_nanousd = j.spent_nanousd + s.paid,
         unpriced_calls = j.unpriced_calls + s.unpriced
    from (select coalesce(sum(estimate_nanousd), 0)::bigint as held,
                 coalesce(sum(estimate_nanousd) filter (where state = 'unknown'), 0)::bigint as paid,
                 count(*) filter (where state = 'unknown' and estimate_nanousd is null) as unpriced
            from closed) s
   where j.organization_id = org and j.id = p_job;
  return coalesce(cardinality(items), 0);
end $$;

create function assay.expire_leases(p_job uuid, p_owner text) returns bigint
language sql set search_path = pg_catalog, pg_temp as $$
-- For an owner that is known to be dead: its leases need not be waited for.
  with expired as (
    update assay.evaluation_queue q set lease_expires_at = '-infinity'
     where q.organization_id = (select assay.current_organization()) and q.job_id = p_job
       and q.state = 'leased' and q.lease_owner = p_owner
    returning 1)
  select count(*) from expired
$$;

create function assay.reap(p_job uuid, p_lease interval)
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
       set state = 'unknown', outcome = 'lease_lost', lost = true, assumed = true, closed_at = clock_timestamp()
      from taken t
     where c.organization_id = org and c.job_id = p_job
       and c.item_no = any (array(select t.item_no from taken t)) and c.item_no = t.item_no
       and c.lease_token = t.lease_token and c.state = 'intent'
    returning c.estimate_nanousd
  ), money as (
    update assay.evaluation_jobs j
       set reserved_nanousd = j.reserved_nanousd - s.held, spent_nanousd = j.spent_nanousd + s.held,
           unpriced_calls = j.unpriced_calls + s.unpriced
      from (select coalesce(sum(estimate_nanousd), 0)::bigint as held, count(*) as rows,
                   count(*) filter (where estimate_nanousd is null) as unpriced
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

-- 9. Views, row-level security, grants ------------------------------------------------------------------------

create view assay.job_progress with (security_invoker = true) as
select j.organization_id, j.id as job_id, j.name, j.state, j.planned,
       count(q.item_no) filter (where q.state = 'succeeded') as succeeded,
       count(q.item_no) filter (where q.state in ('failed', 'dead')) as failed,
       count(q.item_no) filter (where q.state = 'leased') as leased,
       count(q.item_no) filter (where q.state = 'cancelled') as cancelled,
       j.spent_nanousd, j.reserved_nanousd, j.cap_nanousd, j.unpriced_calls, j.created_at, j.finished_at
  from assay.evaluation_jobs j
  left join assay.evaluation_queue q on q.organization_id = j.organization_id and q.job_id = j.id
 group by j.organization_id, j.id;
comment on view assay.job_progress is 'How far each job is';

do $$
declare
  relation record;
  key text;
begin
  for relation in
    select c.oid, c.relname from pg_class c
     where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p')
       and c.relname not in ('state_transitions', 'alembic_version')
  loop
    key := case when relation.relname = 'organizations' then 'id' else 'organization_id' end;
    execute format('alter table assay.%I enable row level security', relation.relname);
    execute format('alter table assay.%I force row level security', relation.relname);
    execute format('create policy tenant_reads on assay.%1$I for select
                      using (%2$I = (select assay.current_organization()))', relation.relname, key);
    execute format('create policy tenant_inserts on assay.%1$I for insert
                      with check (%2$I = (select assay.current_organization()))', relation.relname, key);
    execute format('create policy tenant_updates on assay.%1$I for update
                      using (%2$I = (select assay.current_organization()))
                      with check (%2$I = (select assay.current_organization()))', relation.relname, key);
    execute format('create policy tenant_deletes on assay.%1$I for delete
                      using (%2$I = (select assay.current_organization()))', relation.relname, key);
    execute format('grant select, insert, update on assay.%I to assay_app', relation.relname);
    execute format('grant select on assay.%I to assay_readonly', relation.relname);
  end loop;
end $$;

grant delete on assay.prompt_labels, assay.dataset_labels to assay_app;
grant usage on schema assay to assay_app, assay_readonly;
grant select on assay.state_transitions, assay.job_progress to assay_app, assay_readonly;
grant usage on sequence assay.lease_tokens to assay_app;
revoke execute on all functions in schema assay from public;
grant execute on function assay.current_organization(), assay.new_id() to assay_app, assay_readonly;
grant execute on all functions in schema assay to assay_app;

reset role;

create table if not exists assay.alembic_version
  (version_num varchar(32) not null, constraint alembic_version_pkc primary key (version_num));
insert into assay.alembic_version values ('0001') on conflict do nothing;
grant select on assay.alembic_version to assay_app, assay_readonly;

commit;
