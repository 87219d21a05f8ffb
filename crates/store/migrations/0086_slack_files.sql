-- Files that were shared in mirrored channels.

create table slack_files (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    channel_id uuid not null,
    external_id text not null check (length(external_id) between 1 and 64),
    shared_at timestamptz not null,
    state text not null check (state in ('waiting', 'doubted', 'stored', 'left_out', 'unreachable')),
    problem text check (length(problem) <= 1000),
    document_id uuid,
    sealed_address bytea,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint slack_files_external unique (organization_id, channel_id, external_id),
    foreign key (organization_id, channel_id) references slack_channels (organization_id, id) on delete cascade,
    foreign key (organization_id, document_id) references documents (organization_id, id) on delete set null (document_id)
);
comment on table slack_files is 'A file that was shared in a mirrored channel, and the document it became, which is for whoever the channel''s documents are for.';
comment on column slack_files.external_id is 'Slack''s id of the file.';
comment on column slack_files.shared_at is 'When it was first seen in a message of the channel: the message''s time.';
comment on column slack_files.state is 'waiting: to be fetched; doubted: a message with it is gone, so that it is to be seen whether another one has it; stored: a document; left_out: not to be read, and why; unreachable: not to be fetched for now, and why.';
comment on column slack_files.sealed_address is 'Sealed: where an export says that it lies; the address holds a token. Null for what a connection follows.';
create index slack_files_due on slack_files (organization_id, channel_id, shared_at) where state in ('waiting', 'doubted');
create index slack_files_document on slack_files (organization_id, document_id) where document_id is not null;
create index slack_files_called on slack_files (organization_id, external_id);
call tenant_table('slack_files');
grant select, insert, update, delete on slack_files to amebo_app;

create index slack_messages_files on slack_messages (organization_id, channel_id) where files is not null;
