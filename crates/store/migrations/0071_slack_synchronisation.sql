-- Following the channels of a connected workspace.

alter table slack_channels
    add column connection_id uuid,
    add column is_selected boolean not null default false,
    add column backfill_before timestamptz,
    add column backfill_messages bigint not null default 0,
    add column backfilled_at timestamptz,
    add column reconciled_at timestamptz,
    add column sync_error text check (length(sync_error) <= 1000),
    add constraint slack_channels_connection
        foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete set null (connection_id);
comment on column slack_channels.connection_id is 'The connection that follows it; null for a channel that was only imported.';
comment on column slack_channels.is_selected is 'Whether an administrator, or the rule for new channels, chose to keep what is said in it.';
comment on column slack_channels.backfill_before is 'Down to which message its history has been read, newest first; null before the first page.';
comment on column slack_channels.backfill_messages is 'How many messages of its history have been read.';
comment on column slack_channels.backfilled_at is 'When its history had been read to its beginning, or as far back as messages are kept.';
comment on column slack_channels.reconciled_at is 'When it was last compared with what Slack has.';
comment on column slack_channels.sync_error is 'Why it cannot be followed, in a sentence a person can act on.';
create unique index slack_channels_followed on slack_channels (organization_id, connection_id, external_id) where connection_id is not null;

create table slack_open_threads (
    organization_id uuid not null references organizations (id) on delete cascade,
    channel_id uuid not null,
    thread_ts timestamptz not null,
    primary key (organization_id, channel_id, thread_ts),
    foreign key (organization_id, channel_id) references slack_channels (organization_id, id) on delete cascade
);
comment on table slack_open_threads is 'Threads whose replies are still to be read.';
call tenant_table('slack_open_threads');
grant select, insert, delete on slack_open_threads to amebo_app;
