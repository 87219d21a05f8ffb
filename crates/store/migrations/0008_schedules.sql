-- Jobs that come again.

create table schedules (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 200),
    cron text not null check (length(cron) between 1 and 100),
    timezone text not null check (length(timezone) between 1 and 60),
    kind text not null check (length(kind) between 1 and 100),
    priority text not null check (priority in ('interactive', 'normal', 'bulk')),
    lane text check (length(lane) <= 200),
    payload jsonb not null,
    max_attempts integer not null check (max_attempts > 0),
    next_run_at timestamptz not null,
    last_run_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, name)
);
comment on table schedules is 'Jobs pushed at recurring times. A time that passed while nobody worked is made up for once.';
comment on column schedules.cron is 'Five fields, as in crontab(5), read in the time zone.';
comment on column schedules.timezone is 'IANA name, so that a daily job keeps its hour through daylight saving.';
create index schedules_due on schedules (next_run_at);
call tenant_table('schedules');
create policy system on schedules to amebo_system using (true) with check (true);
grant select, insert, update, delete on schedules to amebo_app;
grant select, update on schedules to amebo_system;
