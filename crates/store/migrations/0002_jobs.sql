-- The job queue. A finished job leaves no row: what it did is in the tables it wrote.

create table jobs (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    number bigint not null generated always as identity,
    kind text not null check (length(kind) between 1 and 100),
    priority text not null check (priority in ('interactive', 'normal', 'bulk')),
    lane text check (length(lane) <= 200),
    payload jsonb not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'dead')),
    waiting text check (waiting in ('lane', 'time')),
    run_at timestamptz not null,
    attempts integer not null default 0 check (attempts >= 0),
    max_attempts integer not null check (max_attempts > 0),
    unique_key text check (length(unique_key) <= 200),
    locked_by uuid,
    locked_until timestamptz,
    cancel_requested boolean not null default false,
    progress jsonb,
    last_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint jobs_lease check ((state = 'running') = (locked_by is not null) and (locked_by is null) = (locked_until is null)),
    constraint jobs_waiting check (waiting is null or state = 'queued')
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
comment on table jobs is 'Work to be done for an organization, each row leased to one worker at a time.';
comment on column jobs.number is 'Order within a lane. Drawn under the lane''s lock, so that it is also the order of commits.';
comment on column jobs.lane is 'Jobs of one lane run one after the other, in order; jobs without a lane run freely.';
comment on column jobs.waiting is 'What keeps a queued job from being claimed: an earlier job of its lane, or its time. Null when nothing does.';
comment on column jobs.unique_key is 'At most one unfinished job of a kind has the same key.';
comment on column jobs.attempts is 'Claims so far, this one included; with locked_by it names a lease.';
comment on column jobs.locked_until is 'When the lease ends unless the worker extends it.';
call tenant_table('jobs');
create policy system on jobs to amebo_system using (true) with check (true);
grant select, insert, update, delete on jobs to amebo_app;
grant select, insert, update, delete on jobs to amebo_system;

create index jobs_claimable on jobs (priority, organization_id, number) where state = 'queued' and waiting is null;
create index jobs_due on jobs (run_at) where waiting = 'time';
create index jobs_of_lane on jobs (organization_id, lane, number) where lane is not null and state in ('queued', 'running');
create unique index jobs_unique_key on jobs (organization_id, kind, unique_key) where unique_key is not null and state in ('queued', 'running');
create index jobs_leased on jobs (locked_until) where state = 'running';
create index jobs_dead on jobs (organization_id, number) where state = 'dead';

-- Serialises the changes of one lane; a collision of the hash only makes two lanes wait for each other.
create function lane_lock_key(organization uuid, lane text) returns bigint
language sql immutable strict parallel safe as $$ select hashtextextended(lane, hashtextextended(organization::text, 0)) $$;
comment on function lane_lock_key(uuid, text) is 'The advisory lock under which a lane''s jobs are added, removed and released.';

-- The next organization, in the order of ids, that has a job to claim: what makes taking turns cost one index probe a turn.
create function next_claimable_organization(wanted text, kinds text[], after uuid) returns uuid
language sql stable as $$
    select organization_id from jobs
    where state = 'queued' and waiting is null and priority = wanted and kind = any (kinds) and organization_id > after
    order by organization_id limit 1
$$;
comment on function next_claimable_organization(text, text[], uuid) is 'The first organization after the given one with a claimable job of this priority and these kinds.';

create table maintenance_tasks (
    name text primary key,
    last_run_at timestamptz not null
);
comment on table maintenance_tasks is 'When each recurring task of the platform last ran; its row lock makes one process the leader. A system table.';
grant select, insert, update on maintenance_tasks to amebo_system;
