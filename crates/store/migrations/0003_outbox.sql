-- What happened: written in the transaction that made it happen, read by workflows, outgoing webhooks, live pages and counters.

create table outbox_events (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    written bigint not null generated always as identity,
    number bigint unique,
    kind text not null check (length(kind) between 1 and 100),
    subject_id uuid,
    payload jsonb not null,
    created_at timestamptz not null,
    unique (organization_id, id)
);
comment on table outbox_events is 'Events, kept for a week. Followers read them in the order of their numbers.';
comment on column outbox_events.written is 'Order of writing, which the numbers follow among events published together.';
comment on column outbox_events.number is 'Given after the commit, by one process at a time, so that no smaller number can appear behind a follower. Null until then.';
comment on column outbox_events.subject_id is 'What it happened to, if that is one thing.';
create sequence outbox_event_numbers;
create index outbox_events_followed on outbox_events (organization_id, number);
create index outbox_events_unpublished on outbox_events (written) where number is null;
create index outbox_events_age on outbox_events (created_at);
call tenant_table('outbox_events');
create policy system on outbox_events to amebo_system using (true) with check (true);
grant select, insert on outbox_events to amebo_app;
grant select, delete, update (number) on outbox_events to amebo_system;
grant usage on sequence outbox_event_numbers to amebo_system;

create table event_cursors (
    follower text primary key,
    number bigint not null,
    updated_at timestamptz not null
);
comment on table event_cursors is 'How far each lasting follower of all organizations'' events has come. A system table.';
grant select, insert, update, delete on event_cursors to amebo_system;
