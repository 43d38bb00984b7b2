-- Assay: the schema as a book.
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f migrations/create_evaluation_tables.sql
--
-- on an empty PostgreSQL 15 or newer, or on Supabase, is a complete install at the newest revision. Databases
-- of earlier revisions get there by migrations/versions; a test proves that both ways end in the same catalog.
-- It needs no extension and no superuser: the right to create roles and a schema is enough.
--
--   1. roles and schema             7. results, scores            12. experiments, annotations
--   2. identifiers, who is calling  8. summaries and costs        13. reports, schedules, alerts
--   3. tenants, people, secrets     9. budgets                    14. retention
--   4. prompts, models             10. claim, record, heartbeat,  15. views
--   5. data sets                       release, reap              16. row-level security, grants
--   6. jobs, queue, ledger         11. audit                      17. what each column is
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
  -- whoever installs must be able to act as the owner, and may act as the application; a superuser is already
  if not (select r.rolsuper from pg_roles r where r.rolname = current_user) then
    execute format('grant assay_owner, assay_app, assay_readonly to %I', current_user);
  end if;
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

create function assay.first_id(p_at timestamptz) returns uuid
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select (lpad(to_hex((extract(epoch from p_at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;
comment on function assay.first_id is 'The smallest identifier that a moment can have: bounds ranges of new_id()';

create function assay.time_of(p_id uuid) returns timestamptz
language sql immutable parallel safe strict set search_path = pg_catalog, pg_temp as $$
  select to_timestamp(('x' || lpad(left(replace(p_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
$$;
comment on function assay.time_of is 'When an identifier of new_id() was made, to the millisecond';

create type assay.user_role as enum ('viewer', 'analyst', 'manager', 'admin', 'owner');
comment on type assay.user_role is 'What a member may do; each role may all that the ones before it may';

-- Who is calling is proven, not said: any role that runs SQL can set any setting. The application signs
-- "key id|tenant|kind|actor|role|expiry" by HMAC-SHA-256 (RFC 2104) with a key that only the owner's
-- functions can read, and sets it for one transaction. Two more ways in cannot be forged either: the claims
-- that Supabase's PostgREST sets, believed only when its login role is the session's; and login roles of
-- readers, each bound to one tenant.

create table assay.context_keys (
  id         text primary key check (id ~ '^[0-9a-f]{16}$'),
  inner_pad  bytea not null check (length(inner_pad) = 64),
  outer_pad  bytea not null check (length(outer_pad) = 64),
  created_at timestamptz not null default clock_timestamp()
);
comment on table assay.context_keys is
  'Keys that sign contexts, as the two padded blocks of HMAC-SHA-256; several while one is being replaced';

create table assay.database_readers (
  role_name       name primary key,
  organization_id uuid not null,
  created_at      timestamptz not null default clock_timestamp()
);
comment on table assay.database_readers is
  'Login roles of dashboards and notebooks: each reads one tenant, as assay_readonly may';

create function assay.touch() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end $$;

create function assay.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'DELETE' and current_user = 'assay_owner' then
    return old;  -- only the functions of retention (section 14) delete as the owner
  end if;
  raise exception 'rows of % do not change in this', tg_table_name using errcode = 'P0403';
end $$;

-- 3. Tenants, people, secrets -------------------------------------------------------------------------------

create table assay.organizations (
  id             uuid primary key default assay.new_id(),
  name           text not null check (length(name) between 1 and 200),
  retention_days int check (retention_days >= 1),
  suspended_at   timestamptz,
  created_at     timestamptz not null default clock_timestamp(),
  updated_at     timestamptz not null default clock_timestamp()
);
comment on table assay.organizations is 'Tenants: nothing is shared between two of them';
create trigger touched before update on assay.organizations for each row execute function assay.touch();

create table assay.users (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  subject         text not null check (length(subject) between 1 and 500),
  email           text check (length(email) between 3 and 320),
  name            text not null default '' check (length(name) <= 200),
  disabled_at     timestamptz,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, subject)
);
comment on table assay.users is
  'People as one tenant knows them; who belongs to two tenants has a row in each, with the same subject';
create trigger touched before update on assay.users for each row execute function assay.touch();

create table assay.memberships (
  organization_id uuid not null,
  user_id         uuid not null,
  role            assay.user_role not null,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, user_id),
  foreign key (organization_id, user_id) references assay.users (organization_id, id)
);
comment on table assay.memberships is 'What each user may do; without a row, nothing';
create trigger touched before update on assay.memberships for each row execute function assay.touch();

create function assay.keep_an_owner() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  -- the tenant's row is locked first, so that two owners who leave at once are told one after the other
  perform from assay.organizations o where o.id = old.organization_id for no key update;
  if not exists (select from assay.memberships m
                  where m.organization_id = old.organization_id and m.role = 'owner'
                    and m.user_id <> old.user_id) then
    raise exception 'the last owner of an organization stays' using errcode = 'P0404';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger last_owner_stays before delete on assay.memberships
  for each row when (old.role = 'owner') execute function assay.keep_an_owner();
create trigger last_owner_stays_owner before update of role on assay.memberships
  for each row when (old.role = 'owner' and new.role <> 'owner') execute function assay.keep_an_owner();

create table assay.api_keys (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  prefix          text not null check (prefix ~ '^assay_[a-z0-9]{8}$'),
  key_hash        bytea not null check (length(key_hash) = 32),
  role            assay.user_role not null,
  scopes          text[] not null default '{}',
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  expires_at      timestamptz,
  last_used_at    timestamptz,
  revoked_at      timestamptz,
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.api_keys is 'Keys of programs: a keyed hash and a prefix to know them by, never the key';
create index api_keys_prefix on assay.api_keys (prefix);

create table assay.tenant_data_keys (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  master_key_id   text not null check (length(master_key_id) between 1 and 64),
  nonce           bytea not null check (length(nonce) = 12),
  wrapped_key     bytea not null check (length(wrapped_key) between 16 and 256),
  created_at      timestamptz not null default clock_timestamp(),
  rewrapped_at    timestamptz,
  primary key (organization_id, id)
);
comment on table assay.tenant_data_keys is
  'Keys that encrypt credentials, themselves wrapped by a master key that the database never sees';

create table assay.provider_credentials (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  provider        text not null check (length(provider) between 1 and 100),
  base_url        text check (length(base_url) <= 2000),
  last4           text not null default '' check (length(last4) <= 4),
  data_key_id     uuid not null,
  nonce           bytea not null check (length(nonce) = 12),
  ciphertext      bytea not null check (length(ciphertext) between 17 and 65536),
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, data_key_id) references assay.tenant_data_keys (organization_id, id),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.provider_credentials is
  'Keys of model providers, encrypted by AES-256-GCM and bound to tenant, name and host';
create trigger touched before update on assay.provider_credentials for each row execute function assay.touch();

create function assay.caller(out organization_id uuid, out actor_kind text, out actor_id uuid,
                             out role assay.user_role)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
-- Reads tables of the owner, hence SECURITY DEFINER; the policies named owner_reads (section 16) let it.
-- Everything that does not hold - signature, time, membership, key, tenant - gives nulls: no tenant, no rows.
declare
  signed text := nullif(current_setting('assay.context', true), '');
  part text[] := string_to_array(signed, '|');
  claims jsonb;
  inside bytea;
  outside bytea;
begin
  if signed is not null then
    select k.inner_pad, k.outer_pad into inside, outside from assay.context_keys k where k.id = part[1];
    -- hashed once more before it is compared: the time that the comparison takes tells nothing
    if not found or cardinality(part) <> 7
       or sha256(convert_to(part[7], 'UTF8')) <> sha256(convert_to(encode(sha256(outside || sha256(inside ||
            convert_to(left(signed, -1 - length(part[7])), 'UTF8'))), 'hex'), 'UTF8'))
       or part[6]::bigint < extract(epoch from clock_timestamp()) then
      return;
    end if;
    organization_id := part[2]::uuid;
    actor_kind := part[3];
    actor_id := nullif(part[4], '')::uuid;
    role := part[5]::assay.user_role;
    if actor_kind = 'key' then
      role := (select k.role from assay.api_keys k
                where k.organization_id = caller.organization_id and k.id = actor_id
                  and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp()));
    elsif actor_kind = 'user' then
      role := (select m.role
                 from assay.memberships m
                 join assay.users u on u.organization_id = m.organization_id and u.id = m.user_id
                where m.organization_id = caller.organization_id and m.user_id = actor_id
                  and u.disabled_at is null);
    elsif actor_kind <> 'system' then
      role := null;
    end if;
  elsif session_user = 'authenticator' then
    claims := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    actor_kind := 'user';
    select m.organization_id, m.user_id, m.role into organization_id, actor_id, role
      from assay.users u
      join assay.memberships m on m.organization_id = u.organization_id and m.user_id = u.id
     where u.organization_id = coalesce(claims -> 'app_metadata' ->> 'organization_id',
                                        claims ->> 'organization_id')::uuid
       and u.subject = claims ->> 'sub' and u.disabled_at is null;
  else
    select r.organization_id into organization_id from assay.database_readers r where r.role_name = session_user;
    actor_kind := 'reader';
    role := 'viewer';
  end if;
  if role is null or exists (select from assay.organizations o
                              where o.id = organization_id and o.suspended_at is not null) then
    organization_id := null;
  end if;
  if organization_id is null then
    actor_kind := null;
    actor_id := null;
    role := null;
  end if;
end $$;
comment on function assay.caller is
  'Tenant, actor and role of this transaction, all null unless they are proven and still hold';

create function assay.current_organization() returns uuid
language sql stable set search_path = pg_catalog, pg_temp as $$
  select c.organization_id from assay.caller() c
$$;
comment on function assay.current_organization() is 'The tenant of this transaction; null sees nothing';

create function assay.has_role(minimum assay.user_role) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce(c.role >= minimum, false) from assay.caller() c
$$;
comment on function assay.has_role is 'Whether the caller may what this role may';

create function assay.find_api_key(p_prefix text)
returns table (organization_id uuid, id uuid, key_hash bytea, role assay.user_role, scopes text[],
               expires_at timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
-- Runs before the tenant is known, hence SECURITY DEFINER; a prefix is random, and a hash opens nothing.
  select k.organization_id, k.id, k.key_hash, k.role, k.scopes, k.expires_at, k.revoked_at
    from assay.api_keys k where k.prefix = p_prefix
$$;
comment on function assay.find_api_key is 'What is needed to check a key whose prefix this is';

create function assay.add_context_key(p_key bytea) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- The owner's alone: granted to nobody. A key shorter than a block is padded, a longer one hashed (RFC 2104).
declare
  block bytea := case when length(p_key) > 64 then sha256(p_key) else p_key end;
  inside bytea := decode(repeat('36', 64), 'hex');
  outside bytea := decode(repeat('5c', 64), 'hex');
  name text := left(encode(sha256(p_key), 'hex'), 16);
begin
  if length(p_key) < 32 then
    raise exception 'a context key has at least 32 bytes' using errcode = '22023';
  end if;
  for place in 0 .. length(block) - 1 loop
    inside := set_byte(inside, place, get_byte(inside, place) # get_byte(block, place));
    outside := set_byte(outside, place, get_byte(outside, place) # get_byte(block, place));
  end loop;
  insert into assay.context_keys (id, inner_pad, outer_pad) values (name, inside, outside)
  on conflict (id) do nothing;
  return name;
end $$;
comment on function assay.add_context_key is 'Let contexts be signed with this key; returns its id';

-- 4. Prompts and models -------------------------------------------------------------------------------------

create table assay.prompt_templates (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  description     text not null default '',
  tags            text[] not null default '{}',
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name)
);
comment on table assay.prompt_templates is 'A prompt by name; its texts are its versions';
create trigger touched before update on assay.prompt_templates for each row execute function assay.touch();

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
  foreign key (organization_id, template_id) references assay.prompt_templates (organization_id, id),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.prompt_versions is 'Immutable texts of a prompt, told apart by their content hash';
create trigger immutable before update or delete on assay.prompt_versions
  for each row execute function assay.refuse_change();

create function assay.guard_label() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Nobody moves a label that is above their role, nor puts one there.
declare
  needed assay.user_role := greatest(old.minimum_role, new.minimum_role);
begin
  if not assay.has_role(needed) then
    raise exception 'label % is protected: it takes the role %', coalesce(new.label, old.label), needed
      using errcode = '42501';
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  new.updated_by := (select c.actor_id from assay.caller() c where c.actor_kind = 'user');
  return new;
end $$;

create table assay.prompt_labels (
  organization_id uuid not null,
  template_id uuid not null,
  label text not null check (label ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  prompt_version_id uuid not null,
  minimum_role assay.user_role not null default 'analyst',
  updated_by uuid,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, template_id, label),
  foreign key (organization_id, template_id, prompt_version_id)
    references assay.prompt_versions (organization_id, template_id, id),
  foreign key (organization_id, updated_by) references assay.users (organization_id, id)
);
comment on table assay.prompt_labels is 'Names such as "production" that point to one version of a prompt, and move';
create trigger touched before update on assay.prompt_labels for each row execute function assay.touch();

create table assay.prompt_label_moves (
  organization_id uuid not null,
  id uuid not null default assay.new_id(),
  template_id uuid not null,
  label text not null,
  from_version_id uuid,
  to_version_id uuid,
  moved_by uuid,
  moved_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, template_id) references assay.prompt_templates (organization_id, id)
);
comment on table assay.prompt_label_moves is 'Where each label of a prompt pointed, and since when; append-only';
create index prompt_label_moves_of on assay.prompt_label_moves (organization_id, template_id, label, id);
create trigger immutable before update or delete on assay.prompt_label_moves
  for each row execute function assay.refuse_change();

create function assay.log_prompt_label() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' and old.prompt_version_id = new.prompt_version_id then
    return null;  -- its protection changed, not its place
  end if;
  insert into assay.prompt_label_moves
    (organization_id, template_id, label, from_version_id, to_version_id, moved_by)
  values (coalesce(new.organization_id, old.organization_id), coalesce(new.template_id, old.template_id),
          coalesce(new.label, old.label), old.prompt_version_id, new.prompt_version_id,
          (select c.actor_id from assay.caller() c where c.actor_kind = 'user'));
  return null;
end $$;
create trigger guarded before insert or update or delete on assay.prompt_labels
  for each row execute function assay.guard_label();
create trigger logged after insert or update or delete on assay.prompt_labels
  for each row execute function assay.log_prompt_label();

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

create table assay.model_prices (
  organization_id        uuid not null references assay.organizations (id),
  id                     uuid not null default assay.new_id(),
  provider               text not null check (length(provider) between 1 and 100),
  model                  text not null check (length(model) between 1 and 300),
  version                text not null check (length(version) between 1 and 100),
  input_nanousd          bigint not null check (input_nanousd >= 0),
  output_nanousd         bigint not null check (output_nanousd >= 0),
  cached_input_nanousd   bigint check (cached_input_nanousd >= 0),
  cache_write_nanousd    bigint check (cache_write_nanousd >= 0),
  valid_from             timestamptz not null default clock_timestamp(),
  source                 text not null default '',
  created_at             timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, provider, model, version)
);
comment on table assay.model_prices is
  'Prices that a tenant agreed with a provider, by version; a million tokens is the unit';
create trigger immutable before update or delete on assay.model_prices
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
  version_count   int not null default 0 check (version_count >= 0),
  case_count      int not null default 0 check (case_count >= 0),
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name)
);
comment on table assay.test_datasets is 'A data set by name, with the size of its newest version';
create trigger touched before update on assay.test_datasets for each row execute function assay.touch();

create table assay.dataset_versions (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  dataset_id      uuid not null,
  version         int not null check (version >= 1),
  content_hash    bytea not null check (length(content_hash) = 32),
  case_count      int not null check (case_count >= 1),
  note            text not null default '',
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, dataset_id, id),
  unique (organization_id, dataset_id, version),
  unique (organization_id, dataset_id, content_hash),
  foreign key (organization_id, dataset_id) references assay.test_datasets (organization_id, id),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.dataset_versions is 'An immutable, ordered list of cases; the hash is over the hashes of its cases';
create trigger immutable before update or delete on assay.dataset_versions
  for each row execute function assay.refuse_change();

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

create function assay.size_dataset() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  update assay.test_datasets d
     set version_count = d.version_count + 1, case_count = new.case_count
   where d.organization_id = new.organization_id and d.id = new.dataset_id;
  return null;
end $$;
create trigger sized after insert on assay.dataset_versions
  for each row execute function assay.size_dataset();

create function assay.check_version() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- At commit, when the cases are there: a version holds as many as it says, and its hash is theirs: over the
-- hashes of its cases in order, where a case with a split counts as the hash of its hash and the split's name.
declare
  cases bigint;
  digest bytea;
begin
  select count(*), sha256(string_agg(
           case when d.split is null then c.content_hash
                else sha256(c.content_hash || convert_to(d.split, 'UTF8')) end, ''::bytea order by d.case_no))
    into cases, digest
    from assay.dataset_cases d
    join assay.test_cases c on c.organization_id = d.organization_id and c.id = d.case_id
   where d.organization_id = new.organization_id and d.dataset_version_id = new.id;
  if cases <> new.case_count or digest <> new.content_hash then
    raise exception 'version % says % cases, but it has %, or its hash is not theirs',
      new.version, new.case_count, cases using errcode = 'P0405';
  end if;
  return null;
end $$;
create constraint trigger whole after insert on assay.dataset_versions deferrable initially deferred
  for each row execute function assay.check_version();

create table assay.dataset_labels (
  organization_id uuid not null,
  dataset_id uuid not null,
  label text not null check (label ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
  dataset_version_id uuid not null,
  minimum_role assay.user_role not null default 'analyst',
  updated_by uuid,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, dataset_id, label),
  foreign key (organization_id, dataset_id, dataset_version_id)
    references assay.dataset_versions (organization_id, dataset_id, id),
  foreign key (organization_id, updated_by) references assay.users (organization_id, id)
);
comment on table assay.dataset_labels is 'Names such as "production" that point to one version of a data set, and move';
create trigger touched before update on assay.dataset_labels for each row execute function assay.touch();

create table assay.dataset_label_moves (
  organization_id uuid not null,
  id uuid not null default assay.new_id(),
  dataset_id uuid not null,
  label text not null,
  from_version_id uuid,
  to_version_id uuid,
  moved_by uuid,
  moved_at timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, dataset_id) references assay.test_datasets (organization_id, id)
);
comment on table assay.dataset_label_moves is 'Where each label of a data set pointed, and since when; append-only';
create index dataset_label_moves_of on assay.dataset_label_moves (organization_id, dataset_id, label, id);
create trigger immutable before update or delete on assay.dataset_label_moves
  for each row execute function assay.refuse_change();

create function assay.log_dataset_label() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op = 'UPDATE' and old.dataset_version_id = new.dataset_version_id then
    return null;  -- its protection changed, not its place
  end if;
  insert into assay.dataset_label_moves
    (organization_id, dataset_id, label, from_version_id, to_version_id, moved_by)
  values (coalesce(new.organization_id, old.organization_id), coalesce(new.dataset_id, old.dataset_id),
          coalesce(new.label, old.label), old.dataset_version_id, new.dataset_version_id,
          (select c.actor_id from assay.caller() c where c.actor_kind = 'user'));
  return null;
end $$;
create trigger guarded before insert or update or delete on assay.dataset_labels
  for each row execute function assay.guard_label();
create trigger logged after insert or update or delete on assay.dataset_labels
  for each row execute function assay.log_dataset_label();

-- 6. Jobs, queue, ledger ------------------------------------------------------------------------------------

create type assay.job_state as enum
  ('draft', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelling', 'cancelled');
create type assay.item_state as enum ('ready', 'leased', 'succeeded', 'failed', 'dead', 'cancelled');
create type assay.call_state as enum ('intent', 'settled', 'unknown');
create type assay.call_role as enum ('target', 'judge', 'optimizer');
create type assay.score_state as enum ('scored', 'failed', 'abstained', 'skipped');

create table assay.state_transitions (
  entity     text not null check (entity in ('job', 'item', 'ab_test')),
  from_state text not null,
  to_state   text not null,
  primary key (entity, from_state, to_state)
);
comment on table assay.state_transitions is 'The only legal moves of jobs, items and A/B tests; a trigger holds them';
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
  ('job', 'cancelling', 'cancelled'),
  ('ab_test', 'draft', 'running'), ('ab_test', 'draft', 'cancelled'),
  ('ab_test', 'running', 'paused'), ('ab_test', 'paused', 'running'),
  ('ab_test', 'running', 'concluded'), ('ab_test', 'paused', 'concluded'),
  ('ab_test', 'running', 'stopped'), ('ab_test', 'paused', 'stopped');

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
  ready_items        bigint not null default 0 check (ready_items >= 0),
  leased_items       bigint not null default 0 check (leased_items >= 0),
  succeeded_items    bigint not null default 0 check (succeeded_items >= 0),
  failed_items       bigint not null default 0 check (failed_items >= 0),
  dead_items         bigint not null default 0 check (dead_items >= 0),
  cancelled_items    bigint not null default 0 check (cancelled_items >= 0),
  cap_nanousd        bigint check (cap_nanousd >= 0),
  reserved_nanousd   bigint not null default 0 check (reserved_nanousd >= 0),
  spent_nanousd      bigint not null default 0 check (spent_nanousd >= 0),
  unpriced_calls     bigint not null default 0 check (unpriced_calls >= 0),
  max_attempts       smallint not null default 6 check (max_attempts >= 1),
  max_crashes        smallint not null default 3 check (max_crashes >= 1),
  request_key        text,
  receipt            jsonb not null default '{}',
  created_by         uuid,
  created_at         timestamptz not null default clock_timestamp(),
  updated_at         timestamptz not null default clock_timestamp(),
  started_at         timestamptz,
  progressed_at      timestamptz,
  finished_at        timestamptz,
  summarized_at      timestamptz,
  pruned_at          timestamptz,
  added_metrics      jsonb not null default '{"metrics": [], "judges": []}',
  canaries           boolean not null default true,
  primary key (organization_id, id),
  unique (organization_id, request_key),
  foreign key (organization_id, parent_job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, dataset_version_id) references assay.dataset_versions (organization_id, id),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
) with (fillfactor = 70);
comment on table assay.evaluation_jobs is 'A grid of prompt versions x model configs x cases x repeats';
comment on column assay.evaluation_jobs.plan is 'All that decides the answers, frozen: prompts, models, metrics, variables';
comment on column assay.evaluation_jobs.added_metrics is
  'Metrics, and their judges, by which the stored answers were scored after the job was made';
comment on column assay.evaluation_jobs.canaries is
  'Whether its judges are to be asked about answers that deserve no good score, when it ends';
comment on column assay.evaluation_jobs.selection is 'Which case numbers of the data set take part; null is all';
comment on column assay.evaluation_jobs.expanded_cases is 'Cases below this number have their queue rows';
comment on column assay.evaluation_jobs.cap_nanousd is 'Hard budget: spent + reserved never exceeds it; null is none';
comment on column assay.evaluation_jobs.unpriced_calls is 'Calls whose price is unknown: they are not in spent_nanousd';
create index evaluation_jobs_recent on assay.evaluation_jobs (organization_id, created_at desc, id desc);
create index evaluation_jobs_open on assay.evaluation_jobs (organization_id, id)
  where state in ('queued', 'running', 'paused', 'cancelling');
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

-- The ledger, the results and the scores are partitioned by the month of their job: an identifier begins with its
-- time, so that a lookup by job goes to one partition, and a month that is over can be dropped as a whole.
-- Partitions are made when the first job of a month comes, and the next month's with them.

create table assay.partitioned_tables (
  table_name     name primary key,
  storage        text not null,
  position       int not null unique
);
comment on table assay.partitioned_tables is 'What is partitioned by month, in the order of their references';

create function assay.add_partitions(p_month date) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- Makes tables and policies, which only the owner may, hence SECURITY DEFINER. Attaching takes no lock that
-- would stop readers; who comes second waits for the first and then finds the work done.
declare
  parent record;
  low uuid := assay.first_id(date_trunc('month', p_month::timestamp) at time zone 'UTC');
  high uuid := assay.first_id((date_trunc('month', p_month::timestamp) + interval '1 month') at time zone 'UTC');
  name text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('assay.partitions', 0));
  for parent in select p.* from assay.partitioned_tables p order by p.position loop
    name := format('%s_%s', parent.table_name, to_char(p_month, 'YYYYMM'));
    -- asked of the table, not of to_regclass: that one's cache does not know what others did while we waited
    continue when exists (select from pg_class c
                           where c.relnamespace = 'assay'::regnamespace and c.relname = name);
    execute format('create table assay.%I (like assay.%I including defaults including constraints
                      including storage) with (%s)', name, parent.table_name, parent.storage);
    execute format('alter table assay.%I enable row level security, force row level security', name);
    execute format('comment on table assay.%I is %L', name, format('%s of the jobs of %s: reached through its '
                   'parent only', parent.table_name, to_char(p_month, 'YYYY-MM')));
    execute format('alter table assay.%I attach partition assay.%I for values from (%L) to (%L)',
                   parent.table_name, name, low, high);
    made := made + 1;
  end loop;
  return made;
end $$;
comment on function assay.add_partitions is 'Make the partitions of a month that are missing; how many were';

create function assay.prepare_month() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  made_at timestamptz := assay.time_of(new.id);
  month date;
begin
  if made_at not between timestamptz '2020-01-01 00:00+00' and clock_timestamp() + interval '400 days' then
    raise exception 'the id of a job is a UUIDv7 that tells when it was made, not %', new.id using errcode = '22023';
  end if;
  month := date_trunc('month', made_at at time zone 'UTC')::date;
  if to_regclass('assay.metric_scores_' || to_char(month, 'YYYYMM')) is null then
    perform assay.add_partitions(month), assay.add_partitions((month + interval '1 month')::date);
  end if;
  return new;
end $$;
create trigger month_is_there before insert on assay.evaluation_jobs
  for each row execute function assay.prepare_month();

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
  'Set while the item is leased. Lookups by key ask for this, not for the state: see section 10';
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
  metric              text,
  judge               text,
  request_key         bytea,
  answer              jsonb,
  primary key (organization_id, job_id, item_no, lease_token, call_no),
  check ((state = 'intent') = (closed_at is null)),
  check ((role = 'judge') = (metric is not null and judge is not null))
) partition by range (job_id);
insert into assay.partitioned_tables values ('model_calls',
  'fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.4', 1);
comment on table assay.model_calls is
  'The ledger: one row an attempt. The intent is committed before the bytes leave; "unknown" may have been paid';

comment on column assay.model_calls.metric is 'The metric for which a judge was asked';
comment on column assay.model_calls.judge is 'Label of the model that judged';
comment on column assay.model_calls.request_key is 'Hash of all that was asked, where the answer is kept';
comment on column assay.model_calls.answer is
  'What was answered, of judges and of what they judge: by it a call need not be made again, and can be replayed';
create index model_calls_answers on assay.model_calls (organization_id, request_key) where answer is not null;
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

create function assay.count_items() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Once a statement: how many items of each job are in each state, so that nobody has to count them.
begin
  if tg_op = 'INSERT' then
    update assay.evaluation_jobs j
       set ready_items = j.ready_items + n.ready, leased_items = j.leased_items + n.leased,
           succeeded_items = j.succeeded_items + n.succeeded, failed_items = j.failed_items + n.failed,
           dead_items = j.dead_items + n.dead, cancelled_items = j.cancelled_items + n.cancelled
      from (select a.organization_id, a.job_id,
                   count(*) filter (where a.state = 'ready') as ready,
                   count(*) filter (where a.state = 'leased') as leased,
                   count(*) filter (where a.state = 'succeeded') as succeeded,
                   count(*) filter (where a.state = 'failed') as failed,
                   count(*) filter (where a.state = 'dead') as dead,
                   count(*) filter (where a.state = 'cancelled') as cancelled
              from after a group by a.organization_id, a.job_id) n
     where j.organization_id = n.organization_id and j.id = n.job_id;
    return null;
  end if;
  update assay.evaluation_jobs j
     set ready_items = j.ready_items + n.ready, leased_items = j.leased_items + n.leased,
         succeeded_items = j.succeeded_items + n.succeeded, failed_items = j.failed_items + n.failed,
         dead_items = j.dead_items + n.dead, cancelled_items = j.cancelled_items + n.cancelled,
         progressed_at = case when n.succeeded > 0 or n.failed > 0 or n.dead > 0 then clock_timestamp()
                              else j.progressed_at end
    from (select s.organization_id, s.job_id,
                 coalesce(sum(s.one) filter (where s.state = 'ready'), 0) as ready,
                 coalesce(sum(s.one) filter (where s.state = 'leased'), 0) as leased,
                 coalesce(sum(s.one) filter (where s.state = 'succeeded'), 0) as succeeded,
                 coalesce(sum(s.one) filter (where s.state = 'failed'), 0) as failed,
                 coalesce(sum(s.one) filter (where s.state = 'dead'), 0) as dead,
                 coalesce(sum(s.one) filter (where s.state = 'cancelled'), 0) as cancelled
            from (select a.organization_id, a.job_id, a.state, count(*) as one from after a group by 1, 2, 3
                  union all
                  select b.organization_id, b.job_id, b.state, -count(*) from before b group by 1, 2, 3) s
           group by s.organization_id, s.job_id) n
   where j.organization_id = n.organization_id and j.id = n.job_id
     and (n.ready, n.leased, n.succeeded, n.failed, n.dead, n.cancelled) <> (0, 0, 0, 0, 0, 0);
  return null;
end $$;
create trigger counted_in after insert on assay.evaluation_queue referencing new table as after
  for each statement execute function assay.count_items();
create trigger counted after update on assay.evaluation_queue referencing old table as before new table as after
  for each statement execute function assay.count_items();

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
  primary key (organization_id, job_id, item_no)
) partition by range (job_id);
insert into assay.partitioned_tables values ('evaluation_results', 'fillfactor = 100', 2);
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
  calls           smallint not null default 0 check (calls >= 0),
  cost_nanousd    bigint default 0 check (cost_nanousd >= 0),
  primary key (organization_id, job_id, item_no, metric),
  check ((state = 'scored') = (value is not null))
) partition by range (job_id);
insert into assay.partitioned_tables values ('metric_scores', 'fillfactor = 100', 3);
comment on table assay.metric_scores is 'One metric on one result; only a score that is "scored" has a value';
comment on column assay.metric_scores.calls is 'Calls of judges that it took, without those that the cache answered';
comment on column assay.metric_scores.cost_nanousd is 'What they cost; null is an unknown price';

-- What the big tables refer to is checked once a statement, not once a row: half of the time that a score took was
-- its foreign key. Keys do not change, and only the functions of retention delete, parents last, so that checking
-- what comes in is enough. A limit keeps the planner from joining what is to be looked up by the primary key.

create function assay.check_items() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from after a
              where (select true from assay.evaluation_queue q
                      where q.organization_id = a.organization_id and q.job_id = a.job_id
                        and q.item_no = a.item_no limit 1) is null) then
    raise exception 'a row of % refers to an item that is not there', tg_table_name using errcode = '23503';
  end if;
  return null;
end $$;

create function assay.check_results() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from (select distinct a.organization_id, a.job_id, a.item_no from after a) a
              where (select true from assay.evaluation_results r
                      where r.organization_id = a.organization_id and r.job_id = a.job_id
                        and r.item_no = a.item_no limit 1) is null) then
    raise exception 'a row of % refers to a result that is not there', tg_table_name using errcode = '23503';
  end if;
  return null;
end $$;

create trigger has_item after insert on assay.model_calls referencing new table as after
  for each statement execute function assay.check_items();
create trigger has_item after insert on assay.evaluation_results referencing new table as after
  for each statement execute function assay.check_items();
create trigger has_result after insert on assay.metric_scores referencing new table as after
  for each statement execute function assay.check_results();
create trigger keeps_key before update of organization_id, job_id, item_no on assay.evaluation_queue
  for each row execute function assay.refuse_change();
create trigger keeps_key before update of organization_id, job_id, item_no on assay.model_calls
  for each row execute function assay.refuse_change();
create trigger keeps_key before update of organization_id, job_id, item_no on assay.metric_scores
  for each row execute function assay.refuse_change();

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

-- 8. Summaries and costs --------------------------------------------------------------------------------------
--
-- Sums that are kept as the rows come, so that no question about a job reads its rows again. A statement's rows
-- are added up first; whoever adds has the job's row already, so that two workers of a job take turns.

create table assay.evaluation_job_summaries (
  organization_id uuid not null,
  job_id          uuid not null,
  prompt_no       smallint not null,
  model_no        smallint not null,
  metric          text not null,
  scored          bigint not null,
  failed          bigint not null,
  abstained       bigint not null,
  skipped         bigint not null,
  judged          bigint not null,
  passed          bigint not null,
  value_sum       double precision not null,
  square_sum      double precision not null,
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, job_id, prompt_no, model_no, metric),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id)
) with (fillfactor = 70);
comment on table assay.evaluation_job_summaries is
  'Counts and sums of one metric over one candidate (prompt and model) of a job';

create table assay.job_candidates (
  organization_id uuid not null,
  job_id          uuid not null,
  prompt_no       smallint not null,
  model_no        smallint not null,
  results         bigint not null,
  cached          bigint not null,
  unpriced        bigint not null,
  cost_nanousd    bigint not null,
  input_tokens    bigint not null,
  output_tokens   bigint not null,
  latency_count   bigint not null,
  latency_ms_sum  double precision not null,
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, job_id, prompt_no, model_no),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id)
) with (fillfactor = 70);
comment on table assay.job_candidates is 'Answers, costs and tokens of one candidate (prompt and model) of a job';

create function assay.summarize_scores() returns trigger
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
create trigger summarized after insert on assay.metric_scores referencing new table as after
  for each statement execute function assay.summarize_scores();
create trigger summarized_again after update on assay.metric_scores
  referencing old table as before new table as after
  for each statement execute function assay.summarize_scores();

create function assay.summarize_results() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into assay.job_candidates as c
    (organization_id, job_id, prompt_no, model_no, results, cached, unpriced, cost_nanousd, input_tokens,
     output_tokens, latency_count, latency_ms_sum)
  select a.organization_id, a.job_id, a.prompt_no, a.model_no, count(*), count(*) filter (where a.cached),
         count(*) filter (where a.cost_nanousd is null), coalesce(sum(a.cost_nanousd), 0),
         coalesce(sum(a.input_tokens), 0), coalesce(sum(a.output_tokens), 0),
         count(a.latency_ms) filter (where not a.cached),
         coalesce(sum(a.latency_ms::double precision) filter (where not a.cached), 0)
    from after a group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict (organization_id, job_id, prompt_no, model_no) do update
     set results = c.results + excluded.results, cached = c.cached + excluded.cached,
         unpriced = c.unpriced + excluded.unpriced, cost_nanousd = c.cost_nanousd + excluded.cost_nanousd,
         input_tokens = c.input_tokens + excluded.input_tokens,
         output_tokens = c.output_tokens + excluded.output_tokens,
         latency_count = c.latency_count + excluded.latency_count,
         latency_ms_sum = c.latency_ms_sum + excluded.latency_ms_sum, updated_at = clock_timestamp();
  return null;
end $$;
create trigger summarized after insert on assay.evaluation_results referencing new table as after
  for each statement execute function assay.summarize_results();

create table assay.call_costs (
  organization_id    uuid not null,
  day                date not null,
  job_id             uuid not null,
  model_no           smallint not null,
  role               assay.call_role not null,
  calls              bigint not null,
  unpriced           bigint not null,
  cost_nanousd       bigint not null,
  input_tokens       bigint not null,
  output_tokens      bigint not null,
  updated_at         timestamptz not null default clock_timestamp(),
  primary key (organization_id, day, job_id, model_no, role),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id)
) with (fillfactor = 70);
comment on table assay.call_costs is
  'What the closed calls of a job cost, by the day (UTC) on which they were opened, the model and the role';
create index call_costs_of_job on assay.call_costs (organization_id, job_id);

create table assay.model_performance_cache (
  organization_id uuid not null,
  day             date not null,
  prompt_version_id uuid not null,
  model_config_id uuid not null,
  metric          text not null,
  jobs            int not null,
  scored          bigint not null,
  unscored        bigint not null,
  judged          bigint not null,
  passed          bigint not null,
  value_sum       double precision not null,
  square_sum      double precision not null,
  results         bigint not null,
  cost_nanousd    bigint not null,
  unpriced        bigint not null,
  latency_count   bigint not null,
  latency_ms_sum  double precision not null,
  last_job_id     uuid not null,
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, day, prompt_version_id, model_config_id, metric),
  foreign key (organization_id, prompt_version_id) references assay.prompt_versions (organization_id, id),
  foreign key (organization_id, model_config_id) references assay.model_configs (organization_id, id),
  foreign key (organization_id, last_job_id) references assay.evaluation_jobs (organization_id, id)
);
comment on table assay.model_performance_cache is
  'What prompts and models scored on each day (UTC), over the jobs that were completed on it';
create index model_performance_cache_prompt on assay.model_performance_cache
  (organization_id, prompt_version_id, day);

create function assay.add_performance(p_job uuid, p_day date) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  insert into assay.model_performance_cache as p
    (organization_id, day, prompt_version_id, model_config_id, metric, jobs, scored, unscored, judged, passed,
     value_sum, square_sum, results, cost_nanousd, unpriced, latency_count, latency_ms_sum, last_job_id)
  select s.organization_id, p_day, jp.prompt_version_id, jm.model_config_id, s.metric, 1, sum(s.scored), sum(s.failed + s.abstained + s.skipped), sum(s.judged),
         sum(s.passed), sum(s.value_sum), sum(s.square_sum), sum(c.results), sum(c.cost_nanousd),
         sum(c.unpriced), sum(c.latency_count), sum(c.latency_ms_sum), p_job
    from assay.evaluation_job_summaries s
    join assay.job_candidates c using (organization_id, job_id, prompt_no, model_no)
    join assay.job_prompts jp using (organization_id, job_id, prompt_no)
    join assay.job_models jm using (organization_id, job_id, model_no)
   where s.organization_id = (select assay.current_organization()) and s.job_id = p_job
   group by s.organization_id, jp.prompt_version_id, jm.model_config_id, s.metric order by 3, 4, 5
  on conflict (organization_id, day, prompt_version_id, model_config_id, metric) do update
     set jobs = p.jobs + 1, scored = p.scored + excluded.scored, unscored = p.unscored + excluded.unscored,
         judged = p.judged + excluded.judged, passed = p.passed + excluded.passed,
         value_sum = p.value_sum + excluded.value_sum, square_sum = p.square_sum + excluded.square_sum,
         results = p.results + excluded.results, cost_nanousd = p.cost_nanousd + excluded.cost_nanousd,
         unpriced = p.unpriced + excluded.unpriced, latency_count = p.latency_count + excluded.latency_count,
         latency_ms_sum = p.latency_ms_sum + excluded.latency_ms_sum, last_job_id = excluded.last_job_id,
         updated_at = clock_timestamp()
$$;

create function assay.cache_performance() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform assay.add_performance(new.id, (new.finished_at at time zone 'UTC')::date);
  new.summarized_at := clock_timestamp();
  return new;
end $$;
create trigger performance_cached before update of state on assay.evaluation_jobs
  for each row when (new.state = 'completed' and old.state <> 'completed')
  execute function assay.cache_performance();

-- 9. Budgets --------------------------------------------------------------------------------------------------
--
-- Beside the cap of a job a tenant may have budgets for each day, each month, or for all time. A claim admits no
-- more than the tightest has room for and reserves it; what is settled is moved from reserved to spent by the
-- ledger's own trigger. A call counts in the period (UTC) in which it was opened, and in the budgets that were
-- there by then.

create type assay.budget_period as enum ('day', 'month', 'total');
comment on type assay.budget_period is 'How often a budget begins anew';

create table assay.budgets (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  period          assay.budget_period not null,
  cap_nanousd     bigint not null check (cap_nanousd >= 0),
  alert_shares    double precision[] not null default '{0.8,1}',
  ended_at        timestamptz,
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.budgets is 'What a tenant may spend on calls in a day, a month or in all; hard';
create trigger touched before update on assay.budgets for each row execute function assay.touch();

create table assay.budget_reservations (
  organization_id  uuid not null,
  budget_id        uuid not null,
  period_start     date not null,
  reserved_nanousd bigint not null default 0,
  spent_nanousd    bigint not null default 0,
  unpriced_calls   bigint not null default 0,
  updated_at       timestamptz not null default clock_timestamp(),
  primary key (organization_id, budget_id, period_start),
  foreign key (organization_id, budget_id) references assay.budgets (organization_id, id)
) with (fillfactor = 50);
comment on table assay.budget_reservations is 'What is reserved and spent of a budget in one of its periods';

create function assay.period_start(p_period assay.budget_period, p_day date) returns date
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select case p_period when 'day' then p_day
                       when 'month' then date_trunc('month', p_day::timestamp)::date
                       else date '2020-01-01' end
$$;
comment on function assay.period_start is 'The first day of the period of a budget that holds this day';

create function assay.budget_room() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- What the tightest budget of the tenant has left now; null when there is none. Locks the periods, in order.
declare
  org uuid := assay.current_organization();
  today date := (clock_timestamp() at time zone 'UTC')::date;
  room bigint;
begin
  if not exists (select from assay.budgets b where b.organization_id = org and b.ended_at is null) then
    return null;
  end if;
  insert into assay.budget_reservations (organization_id, budget_id, period_start)
  select org, b.id, assay.period_start(b.period, today)
    from assay.budgets b where b.organization_id = org and b.ended_at is null order by b.id
  on conflict (organization_id, budget_id, period_start) do nothing;
  select min(l.left_over) into room
    from (select b.cap_nanousd - r.reserved_nanousd - r.spent_nanousd as left_over
            from assay.budgets b
            join assay.budget_reservations r
              on r.organization_id = org and r.budget_id = b.id
             and r.period_start = assay.period_start(b.period, today)
           where b.organization_id = org and b.ended_at is null
           order by b.id for no key update of r) l;
  return greatest(room, 0);
end $$;
comment on function assay.budget_room is 'What may still be reserved of the tenant''s budgets; null is no budget';

create type assay.call_change as (
  organization_id uuid, job_id uuid, item_no bigint, opened_at timestamptz, role assay.call_role, calls int,
  reserved bigint, spent bigint, unpriced int, input_tokens int, output_tokens int);
comment on type assay.call_change is 'What one row of the ledger adds to the sums, or takes from them';

create function assay.call_change(sign int, org uuid, job uuid, item bigint, opened timestamptz,
                                  role assay.call_role, state assay.call_state, estimate bigint, cost bigint,
                                  tokens_in int, tokens_out int) returns assay.call_change
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  select row(org, job, item, opened, role,
             case when state <> 'intent' then sign else 0 end,
             case when state = 'intent' then sign * coalesce(estimate, 0) else 0 end,
             case state when 'settled' then sign * coalesce(cost, 0)
                        when 'unknown' then sign * coalesce(estimate, 0) else 0 end,
             case when state = 'settled' and cost is null or state = 'unknown' and estimate is null
                  then sign else 0 end,
             sign * coalesce(tokens_in, 0), sign * coalesce(tokens_out, 0))::assay.call_change
$$;
comment on function assay.call_change is 'The share of a row of the ledger in the sums, by its state';

create function assay.account_calls() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Once a statement: what it changed in the ledger goes to the costs of the day and to the budgets.
declare
  changes assay.call_change[];
begin
  if tg_op = 'INSERT' then
    changes := array(
      select assay.call_change(1, a.organization_id, a.job_id, a.item_no, a.opened_at, a.role, a.state,
             a.estimate_nanousd, a.cost_nanousd, a.input_tokens, a.output_tokens) from after a);
  else
    changes := array(
      select assay.call_change(1, a.organization_id, a.job_id, a.item_no, a.opened_at, a.role, a.state,
             a.estimate_nanousd, a.cost_nanousd, a.input_tokens, a.output_tokens) from after a
      union all
      select assay.call_change(-1, b.organization_id, b.job_id, b.item_no, b.opened_at, b.role, b.state,
             b.estimate_nanousd, b.cost_nanousd, b.input_tokens, b.output_tokens) from before b);
  end if;
  insert into assay.call_costs as k
    (organization_id, day, job_id, model_no, role, calls, unpriced, cost_nanousd, input_tokens, output_tokens)
  select c.organization_id, (c.opened_at at time zone 'UTC')::date, c.job_id,
         (c.item_no / j.repeat_count % j.model_count)::smallint, c.role, sum(c.calls), sum(c.unpriced),
         sum(c.spent), sum(c.input_tokens), sum(c.output_tokens)
    from unnest(changes) c
    join assay.evaluation_jobs j on j.organization_id = c.organization_id and j.id = c.job_id
   group by 1, 2, 3, 4, 5
  having sum(c.calls) <> 0 or sum(c.unpriced) <> 0 or sum(c.spent) <> 0
   order by 1, 2, 3, 4, 5
  on conflict (organization_id, day, job_id, model_no, role) do update
     set calls = k.calls + excluded.calls, unpriced = k.unpriced + excluded.unpriced,
         cost_nanousd = k.cost_nanousd + excluded.cost_nanousd,
         input_tokens = k.input_tokens + excluded.input_tokens,
         output_tokens = k.output_tokens + excluded.output_tokens, updated_at = clock_timestamp();
  insert into assay.budget_reservations as r
    (organization_id, budget_id, period_start, reserved_nanousd, spent_nanousd, unpriced_calls)
  select c.organization_id, b.id, assay.period_start(b.period, (c.opened_at at time zone 'UTC')::date),
         sum(c.reserved), sum(c.spent), sum(c.unpriced)
    from unnest(changes) c
    join assay.budgets b on b.organization_id = c.organization_id and b.created_at <= c.opened_at
                        and (b.ended_at is null or b.ended_at > c.opened_at)
   group by 1, 2, 3 order by 1, 2, 3
  on conflict (organization_id, budget_id, period_start) do update
     set reserved_nanousd = r.reserved_nanousd + excluded.reserved_nanousd,
         spent_nanousd = r.spent_nanousd + excluded.spent_nanousd,
         unpriced_calls = r.unpriced_calls + excluded.unpriced_calls, updated_at = clock_timestamp();
  return null;
end $$;
create trigger accounted_in after insert on assay.model_calls referencing new table as after
  for each statement execute function assay.account_calls();
create trigger accounted after update on assay.model_calls referencing old table as before new table as after
  for each statement execute function assay.account_calls();

-- 10. Claim, record, heartbeat, release, reap ------------------------------------------------------------------
--
-- All run as the caller, under row-level security. Whoever takes both takes the job's row before its items,
-- except `record`, which takes the job's row last and never waits for an item that it does not hold.
--
-- A job that was made a second ago has no statistics, and to a planner without statistics every index that
-- begins like the right one looks as good. So the big tables have no two indexes that could serve one lookup:
-- rows of a batch are found by `= any (array)` in the primary key, and whether an item is leased is then told
-- by lease_expires_at, which the partial indexes (where state = ...) cannot answer.

create function assay.held_until() returns timestamptz
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  -- finite, since before PostgreSQL 17 an infinite time has no distance from now
  select timestamptz '9999-12-31 00:00:00+00'
$$;
comment on function assay.held_until() is 'The available_at of cells that a race has not asked for yet';

create function assay.expand_job(p_job uuid, p_estimates jsonb, p_cases int) returns bigint
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
  shared_room bigint;
  items bigint[];
  needed bigint;
begin
  select * into job from assay.evaluation_jobs j
   where j.organization_id = org and j.id = p_job and j.state in ('queued', 'running') for no key update;
  if not found then
    return;
  end if;
  shared_room := assay.budget_room();
  room := least(job.cap_nanousd - job.spent_nanousd - job.reserved_nanousd, shared_room);
  with picked as (
    select q.item_no, q.estimate_nanousd, q.priority, q.available_at
      from assay.evaluation_queue q
     where q.organization_id = org and q.job_id = p_job and q.state = 'ready' and q.solo = p_solo
       and q.available_at <= clock_timestamp() and q.model_no <> all (p_skip_models)
       and (shared_room is null or q.estimate_nanousd is not null)  -- no budget can hold an unknown price
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

-- A race (plan -> 'race') has all its cells in the queue like any job, but held back: ready, yet not before
-- held_until(). Whoever steers the race opens cells and, when a candidate is out or the winner is sure, closes
-- those that are left. What was opened and how it ended is all there is to know of a race.

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

-- 11. Audit ---------------------------------------------------------------------------------------------------
--
-- Who changed what, before and after. Rows are chained: each holds the hash of the one before it, so that a row
-- that was changed or taken out, by whomever, is found by check_audit.

create table assay.audit_log (
  organization_id uuid not null references assay.organizations (id),
  entry_no        bigint not null check (entry_no >= 1),
  at              timestamptz not null default clock_timestamp(),
  actor_kind      text not null,
  actor_id        uuid,
  action          text not null check (action in ('insert', 'update', 'delete')),
  entity          text not null,
  entity_id       text not null,
  before          jsonb,
  after           jsonb,
  correlation_id  text check (length(correlation_id) <= 200),
  previous_hash   bytea,
  hash            bytea not null check (length(hash) = 32),
  primary key (organization_id, entry_no)
);
comment on table assay.audit_log is 'Changes of what matters, by whom; append-only and chained by hashes';
create index audit_log_entity on assay.audit_log (organization_id, entity, entity_id, entry_no desc);
create trigger immutable before update or delete on assay.audit_log
  for each row execute function assay.refuse_change();

create function assay.audit_hash(e assay.audit_log) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select sha256(coalesce(e.previous_hash, ''::bytea) || convert_to(jsonb_build_array(
    e.organization_id, e.entry_no, extract(epoch from e.at), e.actor_kind, e.actor_id, e.action, e.entity,
    e.entity_id, e.before, e.after, e.correlation_id)::text, 'UTF8'))
$$;
comment on function assay.audit_hash is 'The hash of an entry over its content and the hash before it';

create function assay.audit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
-- The application may read the log but not write it, hence SECURITY DEFINER. tg_argv: columns that are secret or
-- large and stay out, then a null, then the key's columns.
declare
  hidden text[] := string_to_array(tg_argv[0], ',');
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - hidden end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - hidden end;
  whole jsonb := coalesce(to_jsonb(new), to_jsonb(old));
  actor record;
  last record;
  entry assay.audit_log;
begin
  if current_setting('assay.migrating', true) = 'on' and pg_has_role(session_user, 'assay_owner', 'member') then
    return null;  -- an upgrade moves rows, it does not change them
  end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value) into old_row, new_row
      from jsonb_each(old_row) o join jsonb_each(new_row) n using (key)
     where o.value is distinct from n.value and o.key <> 'updated_at';
    if new_row is null then
      return null;
    end if;
  end if;
  entry.organization_id := coalesce(whole ->> 'organization_id', whole ->> 'id')::uuid;
  select * into actor from assay.caller();
  perform pg_advisory_xact_lock(hashtextextended(entry.organization_id::text, 4711));
  select l.entry_no, l.hash into last from assay.audit_log l
   where l.organization_id = entry.organization_id order by l.entry_no desc limit 1;
  entry.entry_no := coalesce(last.entry_no, 0) + 1;
  entry.at := clock_timestamp();
  entry.actor_kind := coalesce(actor.actor_kind, 'database role ' || session_user);
  entry.actor_id := actor.actor_id;
  entry.action := lower(tg_op);
  entry.entity := tg_table_name;
  entry.entity_id := (select string_agg(whole ->> k.name, '/' order by k.place)
                        from unnest(string_to_array(tg_argv[1], ',')) with ordinality k (name, place));
  entry.before := old_row;
  entry.after := new_row;
  entry.correlation_id := nullif(left(current_setting('assay.correlation_id', true), 200), '');
  entry.previous_hash := last.hash;
  entry.hash := assay.audit_hash(entry);
  insert into assay.audit_log select entry.*;
  return null;
end $$;

create function assay.check_audit() returns setof bigint
language sql stable set search_path = pg_catalog, pg_temp as $$
  select w.entry_no
    from (select l as entry, l.entry_no, l.hash, l.previous_hash,
                 lag(l.hash) over (order by l.entry_no) as expected,
                 lag(l.entry_no, 1, 0::bigint) over (order by l.entry_no) as before_it
            from assay.audit_log l
           where l.organization_id = (select assay.current_organization())) w
   where w.hash <> assay.audit_hash(w.entry) or w.previous_hash is distinct from w.expected
      or w.entry_no <> w.before_it + 1
   order by w.entry_no
$$;
comment on function assay.check_audit is
  'Numbers of the tenant''s audit entries that were changed, or whose predecessor was; none is good';

create trigger audited after insert or update on assay.organizations
  for each row execute function assay.audit('', 'id');
create trigger audited after insert or update or delete on assay.users
  for each row execute function assay.audit('', 'id');
create trigger audited after insert or update or delete on assay.memberships
  for each row execute function assay.audit('', 'user_id');
create trigger audited after insert or delete on assay.api_keys
  for each row execute function assay.audit('key_hash', 'id');
create trigger audited_changes after update on assay.api_keys
  for each row when (old.* is distinct from new.* and old.last_used_at is not distinct from new.last_used_at)
  execute function assay.audit('key_hash', 'id');
create trigger audited after insert or update or delete on assay.tenant_data_keys
  for each row execute function assay.audit('nonce,wrapped_key', 'id');
create trigger audited after insert or update or delete on assay.provider_credentials
  for each row execute function assay.audit('nonce,ciphertext', 'id');
create trigger audited after insert or update or delete on assay.prompt_labels
  for each row execute function assay.audit('', 'template_id,label');
create trigger audited after insert or update or delete on assay.dataset_labels
  for each row execute function assay.audit('', 'dataset_id,label');
create trigger audited after insert on assay.model_prices
  for each row execute function assay.audit('', 'id');
create trigger audited after insert or update or delete on assay.budgets
  for each row execute function assay.audit('', 'id');
create trigger audited after insert on assay.evaluation_jobs
  for each row execute function assay.audit('plan,receipt,selection', 'id');
create trigger audited_changes after update on assay.evaluation_jobs
  for each row when (old.cap_nanousd is distinct from new.cap_nanousd or old.pruned_at is distinct from new.pruned_at
                     or old.state is distinct from new.state and new.state not in ('running', 'completed'))
  execute function assay.audit('plan,receipt,selection,reserved_nanousd,spent_nanousd,unpriced_calls,ready_items,'
    'leased_items,succeeded_items,failed_items,dead_items,cancelled_items,progressed_at,expanded_cases', 'id');

-- 12. Experiments, annotations ----------------------------------------------------------------------------------

create type assay.ab_test_state as enum ('draft', 'running', 'paused', 'concluded', 'stopped', 'cancelled');
comment on type assay.ab_test_state is 'concluded: by its analysis; stopped: by a guardrail or a person';

create table assay.ab_tests (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  description     text not null default '',
  state           assay.ab_test_state not null default 'draft',
  stop_reason     text,
  salt            text not null check (length(salt) between 8 and 200),
  holdout_share   double precision not null default 0 check (holdout_share >= 0 and holdout_share < 1),
  primary_metric  text not null check (length(primary_metric) between 1 and 200),
  guardrails      jsonb not null default '[]' check (jsonb_typeof(guardrails) = 'array'),
  alpha           double precision not null default 0.05 check (alpha > 0 and alpha < 1),
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  started_at      timestamptz,
  ended_at        timestamptz,
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.ab_tests is 'A test of variants on live traffic';
create trigger touched before update on assay.ab_tests for each row execute function assay.touch();
create trigger legal_state before update of state on assay.ab_tests
  for each row when (old.state is distinct from new.state) execute function assay.guard_transition('ab_test');
create trigger audited after insert or update on assay.ab_tests
  for each row execute function assay.audit('salt', 'id');

create table assay.ab_test_variants (
  organization_id   uuid not null,
  ab_test_id        uuid not null,
  variant_no        smallint not null check (variant_no >= 0),
  name              text not null check (length(name) between 1 and 200),
  weight            double precision not null check (weight > 0),
  shadow            boolean not null default false,
  prompt_version_id uuid,
  model_config_id   uuid,
  created_at        timestamptz not null default clock_timestamp(),
  primary key (organization_id, ab_test_id, variant_no),
  unique (organization_id, ab_test_id, name),
  foreign key (organization_id, ab_test_id) references assay.ab_tests (organization_id, id),
  foreign key (organization_id, prompt_version_id) references assay.prompt_versions (organization_id, id),
  foreign key (organization_id, model_config_id) references assay.model_configs (organization_id, id)
);
comment on table assay.ab_test_variants is 'What a test chooses between; variant 0 is the control';

create function assay.freeze_variants() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  parent uuid := case when tg_op = 'DELETE' then old.ab_test_id else new.ab_test_id end;
begin
  if exists (select from assay.ab_tests t
              where t.organization_id = coalesce(new.organization_id, old.organization_id) and t.id = parent
                and t.state <> 'draft') then
    raise exception 'the variants of a test that has begun stay as they are' using errcode = 'P0403';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger frozen before insert or update or delete on assay.ab_test_variants
  for each row execute function assay.freeze_variants();

create table assay.ab_test_assignments (
  organization_id uuid not null,
  ab_test_id      uuid not null,
  unit            text not null check (length(unit) between 1 and 500),
  variant_no      smallint,
  assigned_at     timestamptz not null default clock_timestamp(),
  primary key (organization_id, ab_test_id, unit),
  foreign key (organization_id, ab_test_id) references assay.ab_tests (organization_id, id),
  foreign key (organization_id, ab_test_id, variant_no)
    references assay.ab_test_variants (organization_id, ab_test_id, variant_no)
);
comment on table assay.ab_test_assignments is
  'Which variant a unit of traffic was given first, and keeps; no variant is the holdout';
create trigger immutable before update or delete on assay.ab_test_assignments
  for each row execute function assay.refuse_change();

create table assay.ab_test_interactions (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  ab_test_id      uuid not null,
  unit            text not null,
  variant_no      smallint,
  input           jsonb,
  output          text,
  latency_ms      real check (latency_ms >= 0),
  cost_nanousd    bigint check (cost_nanousd >= 0),
  error_code      text,
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, ab_test_id, unit)
    references assay.ab_test_assignments (organization_id, ab_test_id, unit)
);
comment on table assay.ab_test_interactions is 'One answer that a variant gave in the traffic';
create index ab_test_interactions_of on assay.ab_test_interactions (organization_id, ab_test_id, id);
create trigger immutable before update or delete on assay.ab_test_interactions
  for each row execute function assay.refuse_change();

create table assay.ab_test_outcomes (
  organization_id uuid not null,
  interaction_id  uuid not null,
  metric          text not null check (length(metric) between 1 and 200),
  value           double precision not null check (value > '-Infinity' and value < 'Infinity'),
  reported_at     timestamptz not null default clock_timestamp(),
  primary key (organization_id, interaction_id, metric),
  foreign key (organization_id, interaction_id) references assay.ab_test_interactions (organization_id, id)
);
comment on table assay.ab_test_outcomes is 'What came of an interaction, reported later; the first report stays';
create trigger immutable before update or delete on assay.ab_test_outcomes
  for each row execute function assay.refuse_change();

create table assay.annotation_queues (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  instructions    text not null default '',
  form            jsonb not null check (jsonb_typeof(form) = 'object'),
  wanted          smallint not null default 1 check (wanted between 1 and 100),
  closed_at       timestamptz,
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.annotation_queues is 'Results that people are asked to judge, and by which form';
create trigger touched before update on assay.annotation_queues for each row execute function assay.touch();

create table assay.annotations (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  queue_id        uuid,
  job_id          uuid not null,
  item_no         bigint not null,
  metric          text not null check (length(metric) between 1 and 200),
  value           double precision check (value > '-Infinity' and value < 'Infinity'),
  label           text check (length(label) between 1 and 200),
  comment         text not null default '',
  inclusion_probability double precision not null default 1
                  check (inclusion_probability > 0 and inclusion_probability <= 1),
  author_id       uuid,
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, queue_id) references assay.annotation_queues (organization_id, id),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, author_id) references assay.users (organization_id, id),
  check (value is not null or label is not null)
);
comment on table assay.annotations is 'What a person said of a result; a change of mind is a new row';
create index annotations_of_result on assay.annotations (organization_id, job_id, item_no, metric);
create index annotations_of_queue on assay.annotations (organization_id, queue_id, id);
create trigger immutable before update or delete on assay.annotations
  for each row execute function assay.refuse_change();

-- 13. Reports, schedules, alerts --------------------------------------------------------------------------------

create table assay.schedules (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  kind            text not null check (kind in ('job', 'report')),
  cron            text not null check (length(cron) between 9 and 200),
  time_zone       text not null default 'UTC' check (length(time_zone) between 1 and 64),
  definition      jsonb not null check (jsonb_typeof(definition) = 'object'),
  paused_at       timestamptz,
  last_run_at     timestamptz,
  next_run_at     timestamptz,
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.schedules is 'Jobs and reports that start by the clock';
create index schedules_due on assay.schedules (organization_id, next_run_at) where paused_at is null;
create trigger touched before update on assay.schedules for each row execute function assay.touch();
create trigger audited after insert or delete on assay.schedules
  for each row execute function assay.audit('', 'id');
create trigger audited_changes after update on assay.schedules
  for each row when (old.last_run_at is not distinct from new.last_run_at)
  execute function assay.audit('', 'id');

create table assay.reports (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  schedule_id     uuid,
  job_id          uuid,
  title           text not null check (length(title) between 1 and 200),
  format          text not null check (format in ('html', 'pdf', 'markdown', 'json', 'csv', 'parquet', 'junit')),
  content         bytea,
  content_hash    bytea check (length(content_hash) = 32),
  error_message   text,
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, schedule_id) references assay.schedules (organization_id, id),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, created_by) references assay.users (organization_id, id),
  check ((content is null) = (error_message is not null)),
  check ((content is null) = (content_hash is null))
);
comment on table assay.reports is 'Reports as they were made, or why one could not be';
create index reports_of_job on assay.reports (organization_id, job_id, id);
create trigger immutable before update or delete on assay.reports
  for each row execute function assay.refuse_change();

create table assay.alert_rules (
  organization_id uuid not null references assay.organizations (id),
  id              uuid not null default assay.new_id(),
  name            text not null check (length(name) between 1 and 200),
  measure         text not null check (length(measure) between 1 and 200),
  comparison      text not null check (comparison in ('below', 'above')),
  threshold       double precision not null check (threshold > '-Infinity' and threshold < 'Infinity'),
  filter          jsonb not null default '{}' check (jsonb_typeof(filter) = 'object'),
  channels        jsonb not null default '[]' check (jsonb_typeof(channels) = 'array'),
  disabled_at     timestamptz,
  created_by      uuid,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  unique (organization_id, name),
  foreign key (organization_id, created_by) references assay.users (organization_id, id)
);
comment on table assay.alert_rules is 'When somebody is to be told';
create trigger touched before update on assay.alert_rules for each row execute function assay.touch();
create trigger audited after insert or update or delete on assay.alert_rules
  for each row execute function assay.audit('', 'id');

create table assay.alerts (
  organization_id uuid not null,
  id              uuid not null default assay.new_id(),
  rule_id         uuid not null,
  job_id          uuid,
  value           double precision not null check (value > '-Infinity' and value < 'Infinity'),
  message         text not null,
  acknowledged_at timestamptz,
  acknowledged_by uuid,
  resolved_at     timestamptz,
  created_at      timestamptz not null default clock_timestamp(),
  updated_at      timestamptz not null default clock_timestamp(),
  primary key (organization_id, id),
  foreign key (organization_id, rule_id) references assay.alert_rules (organization_id, id),
  foreign key (organization_id, job_id) references assay.evaluation_jobs (organization_id, id),
  foreign key (organization_id, acknowledged_by) references assay.users (organization_id, id)
);
comment on table assay.alerts is 'A rule that fired, until it is resolved';
create index alerts_of_rule on assay.alerts (organization_id, rule_id, id desc);
create index alerts_open on assay.alerts (organization_id, id desc) where resolved_at is null;
create trigger touched before update on assay.alerts for each row execute function assay.touch();

-- 14. Retention -------------------------------------------------------------------------------------------------

create function assay.prune_jobs(p_before timestamptz, p_limit int default 100) returns bigint
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
comment on function assay.prune_jobs is
  'Delete the answers of the tenant''s jobs that finished before a moment, oldest first; how many jobs';

create function assay.partitions(out table_name name, out partition name, out month date, out bytes bigint)
returns setof record
language sql stable set search_path = pg_catalog, pg_temp as $$
  select p.relname, c.relname, to_date(right(c.relname, 6), 'YYYYMM'), pg_total_relation_size(c.oid)
    from assay.partitioned_tables t
    join pg_class p on p.relnamespace = 'assay'::regnamespace and p.relname = t.table_name
    join pg_inherits i on i.inhparent = p.oid
    join pg_class c on c.oid = i.inhrelid
   order by 3, t.position
$$;
comment on function assay.partitions is 'The partitions that there are, with their month and size';

create function assay.drop_partitions(p_before timestamptz) returns setof name
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
comment on function assay.drop_partitions is
  'Drop the months that ended before a moment and have no open job, of all tenants; the partitions that went';

-- 15. Views -----------------------------------------------------------------------------------------------------
--
-- All run as who asks. None reads the results of a job to say something about it, but for recent_results and
-- failed_items, which are to be asked with a limit or a job and walk an index.

create view assay.job_progress with (security_invoker = true) as
select j.organization_id, j.id as job_id, j.name, j.state, j.planned,
       j.succeeded_items as succeeded, j.failed_items + j.dead_items as failed, j.leased_items as leased,
       j.ready_items as ready, j.cancelled_items as cancelled,
       case when j.planned > 0 then least(1, (j.succeeded_items + j.failed_items + j.dead_items
                                               + j.cancelled_items) / j.planned::double precision) end as done_share,
       case when j.state = 'running' and j.succeeded_items > 0
            then (j.planned - j.succeeded_items - j.failed_items - j.dead_items - j.cancelled_items)
                   * extract(epoch from clock_timestamp() - j.started_at)::double precision
                   / (j.succeeded_items + j.failed_items + j.dead_items) end as remaining_s,
       j.spent_nanousd, j.reserved_nanousd, j.cap_nanousd, j.unpriced_calls, j.created_at, j.started_at,
       j.progressed_at, j.finished_at
  from assay.evaluation_jobs j;
comment on view assay.job_progress is 'How far each job is; costs the same whatever its size';

create view assay.active_jobs with (security_invoker = true) as
select p.* from assay.job_progress p where p.state in ('queued', 'running', 'paused', 'cancelling');
comment on view assay.active_jobs is 'The jobs that are not finished, and how far they are';

create view assay.recent_results with (security_invoker = true) as
select r.organization_id, r.job_id, r.item_no, j.name as job, r.case_no, jp.name as prompt, jm.name as model,
       r.repeat_no, left(r.output, 500) as output_start, r.finish, r.cost_nanousd, r.latency_ms, r.cached,
       r.created_at
  from assay.evaluation_results r
  join assay.evaluation_jobs j on j.organization_id = r.organization_id and j.id = r.job_id
  join assay.job_prompts jp
    on jp.organization_id = r.organization_id and jp.job_id = r.job_id and jp.prompt_no = r.prompt_no
  join assay.job_models jm
    on jm.organization_id = r.organization_id and jm.job_id = r.job_id and jm.model_no = r.model_no;
comment on view assay.recent_results is 'Answers with their names; ask for the newest by job_id desc, item_no desc';

create view assay.failed_items with (security_invoker = true) as
select q.organization_id, q.job_id, q.item_no, q.case_no, q.prompt_no, q.model_no, q.repeat_no, q.state,
       q.attempts, q.crashes, q.error_code, q.error_message
  from assay.evaluation_queue q where q.state in ('failed', 'dead');
comment on view assay.failed_items is 'Cells that ended without an answer, and why; ask for one job';

create view assay.model_comparison with (security_invoker = true) as
select s.organization_id, s.job_id, j.name as job, jp.name as prompt, jm.name as model, s.prompt_no, s.model_no,
       s.metric, s.scored, s.failed, s.abstained, s.skipped,
       s.scored / nullif(s.scored + s.failed + s.abstained + s.skipped, 0)::double precision as coverage,
       s.value_sum / nullif(s.scored, 0) as mean,
       sqrt(greatest(0, s.square_sum - s.value_sum * s.value_sum / nullif(s.scored, 0))
            / nullif(s.scored - 1, 0)) as standard_deviation,
       s.passed / nullif(s.judged, 0)::double precision as pass_rate,
       c.cost_nanousd, c.unpriced, c.latency_ms_sum / nullif(c.latency_count, 0) as latency_ms
  from assay.evaluation_job_summaries s
  join assay.evaluation_jobs j on j.organization_id = s.organization_id and j.id = s.job_id
  join assay.job_candidates c
    on c.organization_id = s.organization_id and c.job_id = s.job_id and c.prompt_no = s.prompt_no
   and c.model_no = s.model_no
  join assay.job_prompts jp
    on jp.organization_id = s.organization_id and jp.job_id = s.job_id and jp.prompt_no = s.prompt_no
  join assay.job_models jm
    on jm.organization_id = s.organization_id and jm.job_id = s.job_id and jm.model_no = s.model_no;
comment on view assay.model_comparison is
  'Mean, spread and coverage of each metric for each candidate of a job; verdicts are made by "assay compare"';

create view assay.prompt_performance with (security_invoker = true) as
select p.organization_id, t.id as template_id, t.name as prompt, v.version, p.prompt_version_id, p.day, p.metric,
       sum(p.jobs)::bigint as jobs, sum(p.scored)::bigint as scored, sum(p.unscored)::bigint as unscored,
       sum(p.value_sum) / nullif(sum(p.scored), 0)::double precision as mean,
       sum(p.passed) / nullif(sum(p.judged), 0)::double precision as pass_rate,
       sum(p.cost_nanousd)::bigint as cost_nanousd,
       sum(p.latency_ms_sum) / nullif(sum(p.latency_count), 0)::double precision as latency_ms
  from assay.model_performance_cache p
  join assay.prompt_versions v on v.organization_id = p.organization_id and v.id = p.prompt_version_id
  join assay.prompt_templates t on t.organization_id = v.organization_id and t.id = v.template_id
 group by p.organization_id, t.id, t.name, v.version, p.prompt_version_id, p.day, p.metric;
comment on view assay.prompt_performance is 'What each version of a prompt scored, day by day, over all models';

create view assay.leaderboard with (security_invoker = true) as
select p.organization_id, m.provider, m.model, p.metric, sum(p.jobs)::bigint as jobs,
       sum(p.scored)::bigint as scored, sum(p.unscored)::bigint as unscored,
       sum(p.value_sum) / nullif(sum(p.scored), 0)::double precision as mean,
       sum(p.passed) / nullif(sum(p.judged), 0)::double precision as pass_rate,
       sum(p.cost_nanousd) / nullif(sum(p.results), 0)::double precision as nanousd_per_answer,
       sum(p.unpriced)::bigint as unpriced,
       sum(p.latency_ms_sum) / nullif(sum(p.latency_count), 0)::double precision as latency_ms,
       max(p.day) as last_day
  from assay.model_performance_cache p
  join assay.model_configs m on m.organization_id = p.organization_id and m.id = p.model_config_id
 group by p.organization_id, m.provider, m.model, p.metric;
comment on view assay.leaderboard is
  'Models over all completed jobs: an overview of unequal cases, no comparison - for that, "assay compare"';

create view assay.stale_caches with (security_invoker = true) as
select j.organization_id, j.id as job_id, j.name, (j.finished_at at time zone 'UTC')::date as day, j.summarized_at
  from assay.evaluation_jobs j
 where j.state = 'completed'
   and (j.summarized_at is null
        or exists (select from assay.evaluation_job_summaries s
                    where s.organization_id = j.organization_id and s.job_id = j.id
                      and s.updated_at > j.summarized_at));
comment on view assay.stale_caches is
  'Completed jobs whose scores of now are not those in model_performance_cache; refresh_performance(day) mends it';

create function assay.refresh_performance(p_day date) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  org uuid := assay.current_organization();
  done record;
  jobs bigint := 0;
begin
  delete from assay.model_performance_cache p where p.organization_id = org and p.day = p_day;
  for done in
    select j.id from assay.evaluation_jobs j
     where j.organization_id = org and j.state = 'completed'
       and j.finished_at >= p_day::timestamp at time zone 'UTC'
       and j.finished_at < (p_day + 1)::timestamp at time zone 'UTC'
     order by j.id for no key update
  loop
    perform assay.add_performance(done.id, p_day);
    update assay.evaluation_jobs j set summarized_at = clock_timestamp()
     where j.organization_id = org and j.id = done.id;
    jobs := jobs + 1;
  end loop;
  return jobs;
end $$;
comment on function assay.refresh_performance is
  'Make model_performance_cache of one day (UTC) from the summaries of its jobs again; how many jobs';

create view assay.cost_by_day with (security_invoker = true) as
select k.organization_id, k.day, k.role, sum(k.calls)::bigint as calls, sum(k.unpriced)::bigint as unpriced,
       sum(k.cost_nanousd)::bigint as cost_nanousd, sum(k.input_tokens)::bigint as input_tokens,
       sum(k.output_tokens)::bigint as output_tokens
  from assay.call_costs k group by k.organization_id, k.day, k.role;
comment on view assay.cost_by_day is 'What calls cost on each day (UTC), by role: target, judge, optimizer';

create view assay.cost_by_job with (security_invoker = true) as
select k.organization_id, k.job_id, j.name as job, k.role, sum(k.calls)::bigint as calls,
       sum(k.unpriced)::bigint as unpriced, sum(k.cost_nanousd)::bigint as cost_nanousd,
       sum(k.input_tokens)::bigint as input_tokens, sum(k.output_tokens)::bigint as output_tokens
  from assay.call_costs k
  join assay.evaluation_jobs j on j.organization_id = k.organization_id and j.id = k.job_id
 group by k.organization_id, k.job_id, j.name, k.role;
comment on view assay.cost_by_job is 'What the calls of each job cost, by role';

create view assay.cost_by_model with (security_invoker = true) as
select k.organization_id, k.day, m.provider, m.model, k.role, sum(k.calls)::bigint as calls,
       sum(k.unpriced)::bigint as unpriced, sum(k.cost_nanousd)::bigint as cost_nanousd,
       sum(k.input_tokens)::bigint as input_tokens, sum(k.output_tokens)::bigint as output_tokens
  from assay.call_costs k
  join assay.job_models jm
    on jm.organization_id = k.organization_id and jm.job_id = k.job_id and jm.model_no = k.model_no
  join assay.model_configs m on m.organization_id = jm.organization_id and m.id = jm.model_config_id
 group by k.organization_id, k.day, m.provider, m.model, k.role;
comment on view assay.cost_by_model is
  'What the calls for each evaluated model cost on each day (UTC): its own, and those of its judges';

create view assay.budget_state with (security_invoker = true) as
select b.organization_id, b.id as budget_id, b.name, b.period, n.period_start, b.cap_nanousd,
       coalesce(r.spent_nanousd, 0) as spent_nanousd, coalesce(r.reserved_nanousd, 0) as reserved_nanousd,
       greatest(0, b.cap_nanousd - coalesce(r.spent_nanousd, 0) - coalesce(r.reserved_nanousd, 0)) as left_nanousd,
       (coalesce(r.spent_nanousd, 0) + coalesce(r.reserved_nanousd, 0))
         / nullif(b.cap_nanousd, 0)::double precision as used_share,
       coalesce(r.unpriced_calls, 0) as unpriced_calls
  from assay.budgets b
 cross join lateral (
       select assay.period_start(b.period, (clock_timestamp() at time zone 'UTC')::date) as period_start) n
  left join assay.budget_reservations r
    on r.organization_id = b.organization_id and r.budget_id = b.id and r.period_start = n.period_start
 where b.ended_at is null;
comment on view assay.budget_state is 'What each budget has left in its present period';

create view assay.queue_lag with (security_invoker = true) as
select j.organization_id, j.id as job_id, j.name, j.state, j.ready_items as ready, j.leased_items as leased,
       w.oldest_ready_at,
       greatest(0, extract(epoch from clock_timestamp() - w.oldest_ready_at))::double precision as lag_s
  from assay.evaluation_jobs j
 cross join lateral (
       select min(o.available_at) as oldest_ready_at
         from (values (false), (true)) a (solo)
        cross join generate_series(0, 9) p (priority)
        cross join lateral (
              select q.available_at from assay.evaluation_queue q
               where q.organization_id = j.organization_id and q.job_id = j.id and q.state = 'ready'
                 and q.solo = a.solo and q.priority = p.priority
               order by q.available_at limit 1) o
        where o.available_at <= clock_timestamp()) w
 where j.state in ('queued', 'running', 'paused', 'cancelling');
comment on view assay.queue_lag is 'How long the oldest cell that could be worked on has waited, by job';

create view assay.stuck_jobs with (security_invoker = true) as
select j.organization_id, j.id as job_id, j.name, j.state, j.leased_items as leased, j.ready_items as ready,
       coalesce(j.progressed_at, j.started_at, j.created_at) as last_progress_at,
       extract(epoch from clock_timestamp() - coalesce(j.progressed_at, j.started_at, j.created_at))::double precision
         as idle_s
  from assay.evaluation_jobs j
 where j.state in ('running', 'cancelling')
   and coalesce(j.progressed_at, j.started_at, j.created_at) < clock_timestamp() - interval '10 minutes';
comment on view assay.stuck_jobs is 'Running jobs of which no cell has ended for ten minutes';

create function assay.rebuild_summaries(p_job uuid) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
-- Counts a job's summaries again from its rows: for repair; nothing needs it in ordinary use.
declare
  org uuid := assay.current_organization();
begin
  perform from assay.evaluation_jobs j where j.organization_id = org and j.id = p_job for no key update;
  update assay.evaluation_job_summaries s
     set scored = n.scored, failed = n.failed, abstained = n.abstained, skipped = n.skipped, judged = n.judged,
         passed = n.passed, value_sum = n.value_sum, square_sum = n.square_sum, updated_at = clock_timestamp()
    from (select r.prompt_no, r.model_no, m.metric, count(*) filter (where m.state = 'scored') as scored,
                 count(*) filter (where m.state = 'failed') as failed,
                 count(*) filter (where m.state = 'abstained') as abstained,
                 count(*) filter (where m.state = 'skipped') as skipped, count(m.passed) as judged,
                 count(*) filter (where m.passed) as passed, coalesce(sum(m.value), 0) as value_sum,
                 coalesce(sum(m.value * m.value), 0) as square_sum
            from assay.evaluation_results r
            join assay.metric_scores m using (organization_id, job_id, item_no)
           where r.organization_id = org and r.job_id = p_job
           group by 1, 2, 3) n
   where s.organization_id = org and s.job_id = p_job and s.prompt_no = n.prompt_no
     and s.model_no = n.model_no and s.metric = n.metric;
end $$;
comment on function assay.rebuild_summaries is 'Make the summaries of a job those of its rows again';

-- 16. Row-level security, grants ----------------------------------------------------------------------------------
--
-- Each table is open to its tenant for reading, and for writing to the role that its entry here names; what has
-- no entry takes an analyst. Rows are deleted by nobody but where a D stands.

do $$
declare
  relation record;
  key text;
  writer text;
  settings jsonb := '{
    "organizations": "admin", "users": "admin", "memberships": "admin D", "api_keys": "admin D",
    "tenant_data_keys": "admin D", "provider_credentials": "admin D", "model_prices": "manager",
    "budgets": "manager", "alert_rules": "manager D", "schedules": "manager D", "ab_tests": "manager",
    "ab_test_variants": "manager D", "prompt_labels": "analyst D", "dataset_labels": "analyst D",
    "model_performance_cache": "analyst D", "audit_log": "none"}';
begin
  for relation in
    select c.oid, c.relname from pg_class c
     where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname not in ('state_transitions', 'partitioned_tables', 'alembic_version')
  loop
    execute format('alter table assay.%I enable row level security, force row level security', relation.relname);
    continue when relation.relname in ('context_keys', 'database_readers');
    key := case when relation.relname = 'organizations' then 'id' else 'organization_id' end;
    writer := split_part(coalesce(settings ->> relation.relname, 'analyst'), ' ', 1);
    execute format('create policy tenant_reads on assay.%1$I for select
                      using (%2$I = (select assay.current_organization()))', relation.relname, key);
    execute format('grant select on assay.%I to assay_app, assay_readonly', relation.relname);
    continue when writer = 'none';
    execute format('create policy tenant_inserts on assay.%1$I for insert
                      with check (%2$I = (select assay.current_organization())
                                  and (select assay.has_role(%3$L)))', relation.relname, key, writer);
    execute format('create policy tenant_updates on assay.%1$I for update
                      using (%2$I = (select assay.current_organization()) and (select assay.has_role(%3$L)))
                      with check (%2$I = (select assay.current_organization())
                                  and (select assay.has_role(%3$L)))', relation.relname, key, writer);
    execute format('create policy tenant_deletes on assay.%1$I for delete
                      using (%2$I = (select assay.current_organization()) and (select assay.has_role(%3$L)))',
                   relation.relname, key, writer);
    execute format('grant insert, update on assay.%I to assay_app', relation.relname);
    if coalesce(settings ->> relation.relname, '') like '% D' then
      execute format('grant delete on assay.%I to assay_app', relation.relname);
    end if;
  end loop;
end $$;

-- What the owner's functions look up before a tenant is known, append for it, or maintain for all:
create policy owner_keeps on assay.context_keys for all to assay_owner using (true) with check (true);
create policy owner_keeps on assay.database_readers for all to assay_owner using (true) with check (true);
create policy owner_reads on assay.organizations for select to assay_owner using (true);
create policy owner_reads on assay.users for select to assay_owner using (true);
create policy owner_reads on assay.memberships for select to assay_owner using (true);
create policy owner_reads on assay.api_keys for select to assay_owner using (true);
create policy owner_appends on assay.audit_log for insert to assay_owner with check (true);
create policy owner_reads on assay.audit_log for select to assay_owner using (true);
create policy owner_maintains on assay.evaluation_jobs for all to assay_owner using (true) with check (true);
create policy owner_maintains on assay.evaluation_queue for all to assay_owner using (true) with check (true);
create policy owner_maintains on assay.judge_canaries for all to assay_owner using (true) with check (true);

grant usage on schema assay to assay_app, assay_readonly;
grant select on assay.state_transitions, assay.partitioned_tables to assay_app, assay_readonly;
grant select on assay.job_progress, assay.active_jobs, assay.recent_results, assay.failed_items,
  assay.model_comparison, assay.prompt_performance, assay.leaderboard, assay.stale_caches, assay.cost_by_day,
  assay.cost_by_job, assay.cost_by_model, assay.budget_state, assay.queue_lag, assay.stuck_jobs
  to assay_app, assay_readonly;
revoke select on assay.api_keys, assay.tenant_data_keys, assay.provider_credentials from assay_readonly;
grant usage on sequence assay.lease_tokens to assay_app;
revoke execute on all functions in schema assay from public;
grant execute on all functions in schema assay to assay_app;
revoke execute on function assay.add_context_key, assay.drop_partitions from assay_app;
grant execute on function assay.caller, assay.current_organization, assay.has_role, assay.new_id,
  assay.first_id, assay.time_of, assay.period_start, assay.partitions to assay_readonly;

-- 17. What each column is -----------------------------------------------------------------------------------------
--
-- Names that mean the same wherever they stand are told once; an entry "table.column" goes before them.

do $$
declare
  meaning jsonb := '{
    "organization_id": "The tenant",
    "id": "UUIDv7: ordered by the time at which it was made",
    "name": "Unique in the tenant, among its kind",
    "description": "For people",
    "tags": "Words to find it by",
    "note": "Why there is this version",
    "created_at": "When the row was made",
    "updated_at": "When the row was changed last; a trigger keeps it",
    "created_by": "The user who made it; null is the system or a key",
    "updated_by": "The user who changed it last; null is the system or a key",
    "started_at": "When work on it began",
    "job_id": "The job",
    "item_no": "The cell of the job, as in evaluation_queue",
    "case_no": "Place of the case in the data-set version, from 0",
    "prompt_no": "Place of the prompt in the job, from 0",
    "model_no": "Place of the model in the job, from 0",
    "repeat_no": "Which of the repeats of the cell, from 0",
    "metric": "Name of the metric in the job",
    "template_id": "The prompt",
    "prompt_version_id": "The version of the prompt",
    "dataset_id": "The data set",
    "dataset_version_id": "The version of the data set",
    "model_config_id": "The model with its parameters",
    "content_hash": "SHA-256 of the canonical content: the same content has the same hash",
    "version": "Number of the version, from 1",
    "label": "The name that points to a version",
    "minimum_role": "Who may move or take away the label at least",
    "from_version_id": "Where it pointed before; null if it is new",
    "to_version_id": "Where it pointed then; null if it was taken away",
    "moved_at": "When",
    "moved_by": "The user who moved it; null is the system or a key",
    "role": "What the holder may do at most",
    "state": "See state_transitions for the moves that there are",
    "stop_reason": "Why it stands still or ended early",
    "provider": "Such as openai, anthropic, gemini, http",
    "model": "The provider''s name of the model",
    "base_url": "Address of the endpoint; null is the provider''s own",
    "nonce": "Of AES-256-GCM, 96 bits, never used twice with a key",
    "day": "In UTC",
    "calls": "Closed calls",
    "unpriced": "Calls or answers whose price is unknown: not in cost_nanousd",
    "unpriced_calls": "Calls whose price is unknown: not in spent_nanousd",
    "cost_nanousd": "In billionths of a US dollar",
    "estimate_nanousd": "Upper bound of its cost, reserved until it is closed; null is an unknown price",
    "reserved_nanousd": "Upper bounds of the open calls",
    "spent_nanousd": "Costs of the closed calls; lost ones by their estimate",
    "cap_nanousd": "What may be spent; hard",
    "input_tokens": "Including cached ones",
    "output_tokens": "Including those of reasoning",
    "cached_tokens": "Input tokens that the provider had cached",
    "cache_write_tokens": "Input tokens that the provider put into its cache",
    "reasoning_tokens": "Output tokens of reasoning",
    "latency_ms": "From the request to the last byte",
    "ttft_ms": "From the request to the first token of a stream",
    "latency_count": "Answers that have a latency: cached ones have none",
    "latency_ms_sum": "Sum of the latencies",
    "scored": "Scores with a value",
    "failed": "Scores that could not be made",
    "abstained": "Scores that the metric declined to give",
    "skipped": "Scores that did not apply",
    "unscored": "Scores without a value",
    "judged": "Scores with a verdict of passed or not",
    "passed": "Scores that reached their threshold",
    "value_sum": "Sum of the values",
    "square_sum": "Sum of the squared values",
    "results": "Answers",
    "cached": "Answers that came from the cache",
    "error_code": "Stable name of the error",
    "error_message": "The error for people",
    "lease_token": "Fencing token of the lease: only its holder may write",
    "ab_test_id": "The A/B test",
    "variant_no": "The variant, 0 being the control",
    "unit": "Whom the variant is given to, such as a user''s id: pseudonymous is best",
    "value": "The number",
    "schedule_id": "The schedule that made it; null is a person",
    "budget_id": "The budget",
    "ended_at": "When it ended; null is in force",
    "attempts": "Calls of it that counted as attempts",
    "disabled_at": "Since when it is switched off; null is on",
    "prefix": "The visible beginning of the key",
    "weight": "Its share, relative to the others",

    "alert_rules.measure": "What is watched: a metric or a measure",
    "alert_rules.comparison": "On which side of the threshold the rule fires",
    "alert_rules.threshold": "In the unit of the measure",
    "alert_rules.filter": "Which jobs, prompts and models are watched",
    "alert_rules.channels": "Whom to tell, and how",
    "alerts.rule_id": "The rule that fired",
    "alerts.value": "What was measured",
    "alerts.message": "What is told",
    "alerts.acknowledged_at": "When somebody took it on",
    "alerts.acknowledged_by": "Who did",
    "alerts.resolved_at": "When it was over",
    "ab_tests.salt": "Goes into the hash that assigns units: another salt is another draw",
    "ab_tests.holdout_share": "Share of the units that get no variant",
    "ab_tests.primary_metric": "The outcome that decides",
    "ab_tests.guardrails": "Outcomes that stop the test when they get worse",
    "ab_tests.alpha": "Type-I error of the test",
    "ab_tests.ended_at": "When it was concluded or stopped",
    "ab_test_variants.shadow": "It answers too, but its answer is not shown",
    "ab_test_variants.name": "Unique in the test",
    "ab_test_assignments.variant_no": "Null is the holdout",
    "ab_test_assignments.assigned_at": "When the unit came first",
    "ab_test_interactions.input": "What was asked",
    "ab_test_interactions.output": "What was answered",
    "ab_test_outcomes.interaction_id": "The interaction",
    "ab_test_outcomes.metric": "Name of the outcome",
    "ab_test_outcomes.reported_at": "When it was reported",
    "annotation_queues.instructions": "What annotators are asked to do",
    "annotation_queues.form": "Labels or scale to choose from",
    "annotation_queues.wanted": "Annotations wanted of each result",
    "annotation_queues.closed_at": "When it was closed; null is open",
    "annotations.queue_id": "The queue it was asked in; null is none",
    "annotations.label": "The label that was chosen; null where a number was given",
    "annotations.value": "The number that was given; null where a label was chosen",
    "annotations.comment": "In words",
    "annotations.inclusion_probability": "How likely the result was to be chosen for annotation: weights of estimates",
    "annotations.author_id": "Who said so; null is an import",
    "api_keys.key_hash": "HMAC-SHA-256 of the key, by a secret that the database never sees",
    "api_keys.scopes": "What it is limited to; empty is all that its role may",
    "api_keys.expires_at": "From when on it opens nothing; null is never",
    "api_keys.last_used_at": "To the minute",
    "api_keys.revoked_at": "Since when it opens nothing",
    "audit_log.entry_no": "From 1, without gaps",
    "audit_log.at": "When",
    "audit_log.actor_kind": "user, key, system, or the database role outside a tenant",
    "audit_log.actor_id": "The user or key",
    "audit_log.action": "What was done to the row",
    "audit_log.entity": "The table",
    "audit_log.entity_id": "The row''s key in the tenant",
    "audit_log.before": "What was there: of an update, the changed columns; secrets are left out",
    "audit_log.after": "What is there now, likewise",
    "audit_log.correlation_id": "The request or command that did it",
    "audit_log.previous_hash": "Hash of the entry before",
    "audit_log.hash": "See audit_hash",
    "budget_reservations.period_start": "First day (UTC) of the period",
    "budgets.period": "How often it begins anew",
    "budgets.alert_shares": "At which shares of the cap somebody is told",
    "call_costs.role": "Whether an evaluated model, a judge or an optimizer was called",
    "call_costs.cost_nanousd": "Lost calls by their estimate",
    "context_keys.id": "First 16 hexadecimal digits of the SHA-256 of the key",
    "context_keys.inner_pad": "Secret",
    "context_keys.outer_pad": "Secret",
    "database_readers.role_name": "The login role",
    "dataset_cases.case_id": "The case",
    "dataset_cases.split": "train, validation, test or holdout; null is none",
    "dataset_versions.case_count": "How many cases it holds; checked at commit",
    "dataset_versions.content_hash": "SHA-256 over the hashes of its cases in order: see check_version",
    "evaluation_jobs.parent_job_id": "The job whose failed cells it tries again",
    "evaluation_jobs.config_hash": "SHA-256 of all that decides answers and scores: equal is comparable",
    "evaluation_jobs.name": "Need not be unique",
    "evaluation_jobs.prompt_count": "Prompts in the grid",
    "evaluation_jobs.model_count": "Models in the grid",
    "evaluation_jobs.repeat_count": "Repeats of each cell",
    "evaluation_jobs.planned": "Cells of the whole grid",
    "evaluation_jobs.ready_items": "Cells that wait; counters are kept by a trigger of the queue",
    "evaluation_jobs.leased_items": "Cells in work",
    "evaluation_jobs.succeeded_items": "Cells with an answer",
    "evaluation_jobs.failed_items": "Cells that ended without one",
    "evaluation_jobs.dead_items": "Cells whose workers died of them",
    "evaluation_jobs.cancelled_items": "Cells that were not needed",
    "evaluation_jobs.max_attempts": "Calls that a cell may take",
    "evaluation_jobs.max_crashes": "Workers that may die of a cell while it runs alone",
    "evaluation_jobs.request_key": "Idempotency key of the request that made it",
    "evaluation_jobs.receipt": "What a reader needs months later to know what was run",
    "evaluation_jobs.progressed_at": "When a cell ended last",
    "evaluation_jobs.finished_at": "When its last cell ended",
    "evaluation_jobs.summarized_at": "When its summaries went to model_performance_cache",
    "evaluation_jobs.pruned_at": "When its answers were deleted; summaries and costs stay",
    "evaluation_queue.state": "What is done with the cell",
    "evaluation_queue.priority": "0 is the most urgent",
    "evaluation_queue.crashes": "How often its lease was lost",
    "evaluation_queue.solo_crashes": "How often while it ran alone",
    "evaluation_queue.available_at": "Not to be claimed before",
    "evaluation_queue.lease_owner": "The worker that holds it",
    "evaluation_queue.lease_token": "Fencing token of its last lease",
    "evaluation_results.output": "The answer",
    "evaluation_results.finish": "How the answer ended",
    "evaluation_results.finish_reason": "In the provider''s word",
    "evaluation_results.tool_calls": "Calls of tools that the answer asks for",
    "evaluation_results.cached": "It came from the cache: it cost nothing and took no time",
    "evaluation_results.model_reported": "What the provider says which model it was",
    "evaluation_results.fingerprint": "The provider''s mark of its configuration",
    "evaluation_results.answered_by": "The fallback that answered; null is the model itself",
    "job_models.name": "Its name in the job",
    "job_prompts.name": "Its name in the job",
    "memberships.user_id": "The user",
    "metric_scores.version": "Of the metric: numbers of different versions are not compared",
    "metric_scores.state": "scored, or why there is no value",
    "metric_scores.value": "In [0, 1] for qualities, higher is better; measures have their unit in the name",
    "metric_scores.passed": "Whether the value reached the threshold; null without one",
    "metric_scores.reason": "Why",
    "metric_scores.evidence": "What the value rests on",
    "model_calls.call_no": "Which call of the lease, from 1",
    "model_calls.role": "Whether an evaluated model, a judge or an optimizer is called",
    "model_calls.state": "intent: it may be under way; unknown: it may have been paid for",
    "model_calls.outcome": "ok, cached, or the code of the error",
    "model_calls.worker": "Who called",
    "model_calls.price_version": "The price list by which the cost was reckoned",
    "model_calls.http_status": "The provider''s answer",
    "model_calls.provider_request_id": "By which the provider finds the call",
    "model_calls.opened_at": "When the intent was stored, before anything was sent",
    "model_calls.closed_at": "When its outcome was stored",
    "model_configs.parameters": "Temperature and the like, as sent",
    "model_configs.options": "How it is called: nothing that changes an answer",
    "model_performance_cache.jobs": "Completed jobs in the sums",
    "model_performance_cache.last_job_id": "The newest of them",
    "model_prices.version": "Name of the price list",
    "model_prices.input_nanousd": "For a million input tokens",
    "model_prices.output_nanousd": "For a million output tokens",
    "model_prices.cached_input_nanousd": "For a million cached input tokens; null is as others",
    "model_prices.cache_write_nanousd": "For a million tokens written to the cache; null is as others",
    "model_prices.valid_from": "Since when it is paid",
    "model_prices.source": "Where the price is written",
    "organizations.name": "For people; need not be unique",
    "organizations.retention_days": "After how many days answers may be pruned; null is never",
    "organizations.suspended_at": "Since when it sees and writes nothing",
    "partitioned_tables.table_name": "The parent",
    "partitioned_tables.storage": "Storage parameters of its partitions",
    "partitioned_tables.position": "Order in which they are made; they are dropped in the opposite one",
    "prompt_versions.messages": "Chat messages, each a template",
    "prompt_versions.tools": "Tools that the model is offered",
    "prompt_versions.response_format": "Form that the answer is asked in",
    "provider_credentials.last4": "The last characters of the secret, to know it by",
    "provider_credentials.data_key_id": "The key that encrypts it",
    "provider_credentials.ciphertext": "The secret, encrypted and authenticated",
    "provider_credentials.base_url": "The host that it was saved for, and may be sent to",
    "reports.title": "For people",
    "reports.format": "Of the content",
    "reports.content": "The report as it was made; null where it could not be",
    "reports.job_id": "The job that it is about; null is several or none",
    "schedules.kind": "What it starts",
    "schedules.cron": "When: minute, hour, day, month, weekday",
    "schedules.time_zone": "Whose clock",
    "schedules.definition": "What is to be run or reported",
    "schedules.paused_at": "Since when it rests",
    "schedules.last_run_at": "When it started something last",
    "schedules.next_run_at": "When it is due",
    "state_transitions.entity": "What moves",
    "state_transitions.from_state": "From",
    "state_transitions.to_state": "To",
    "tenant_data_keys.master_key_id": "Which master key wraps it",
    "tenant_data_keys.wrapped_key": "The data key, encrypted by the master key",
    "tenant_data_keys.rewrapped_at": "When a new master key wrapped it",
    "test_cases.key": "The case''s id in its data set",
    "test_cases.vars": "Variables of the prompts",
    "test_cases.expected": "The right answer, where there is one",
    "test_cases.context": "Documents that the answer may rest on",
    "test_cases.metadata": "Whatever else the source said",
    "test_cases.cluster": "The source that dependent cases share",
    "test_cases.weight": "Of the case in weighted means",
    "test_datasets.version_count": "Versions that there are; a trigger keeps it",
    "test_datasets.case_count": "Cases of the newest version; a trigger keeps it",
    "users.subject": "The identity provider''s name of the person (sub)",
    "users.email": "To reach them",
    "users.name": "To show"}';
  place record;
begin
  for place in
    select c.relname, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'assay'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname <> 'alembic_version' and a.attnum > 0 and col_description(c.oid, a.attnum) is null
  loop
    execute format('comment on column assay.%I.%I is %L', place.relname, place.attname,
                   coalesce(meaning ->> (place.relname || '.' || place.attname), meaning ->> place.attname));
  end loop;
end $$;

reset role;

create table if not exists assay.alembic_version
  (version_num varchar(32) not null, constraint alembic_version_pkc primary key (version_num));
insert into assay.alembic_version values ('0004') on conflict do nothing;
grant select on assay.alembic_version to assay_app, assay_readonly;

commit;
