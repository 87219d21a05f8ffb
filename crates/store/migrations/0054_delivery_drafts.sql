-- Answers that appear while they are written.

create table delivery_drafts (
    organization_id uuid not null,
    inbound_event_id uuid not null,
    place text not null check (length(place) between 1 and 200),
    thread text check (length(thread) <= 200),
    message text check (length(message) <= 200),
    is_stream boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, inbound_event_id),
    foreign key (organization_id, inbound_event_id) references inbound_events (organization_id, id) on delete cascade
);
comment on table delivery_drafts is 'A message in which the answer to an event began to appear; the outcome takes its place, whoever writes it after whatever stop.';
comment on column delivery_drafts.message is 'What the platform calls it; null until it has said so, so that null after a stop means that it has to be looked for.';
comment on column delivery_drafts.is_stream is 'Whether it is a stream of the platform, which has to be ended, rather than a message that is changed.';
call tenant_table('delivery_drafts');
grant select, insert, update on delivery_drafts to amebo_app;
