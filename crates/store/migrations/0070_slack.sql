-- The mirror of Slack workspaces: who is there, what was said where, and who may see it.

alter table documents drop constraint documents_audience_check;
alter table documents add constraint documents_audience_check
    check (audience ->> 'kind' in ('organization', 'members', 'slack_channel', 'public'));
comment on column documents.audience is 'Who may see it: {"kind": "organization"}, {"kind": "members", "roles": […], "users": […]}, {"kind": "slack_channel", "channel": …} or {"kind": "public"}.';
alter table documents alter column blob_id drop not null;
comment on column documents.blob_id is 'The original; null for what is written down from synchronised messages, which are the original.';

create table slack_channels (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    source_id uuid not null,
    external_id text not null check (length(external_id) between 1 and 64),
    kind text not null check (kind in ('public', 'private', 'direct', 'group')),
    name text not null check (length(name) between 1 and 1000),
    is_archived boolean not null default false,
    is_shared boolean not null default false,
    is_open boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint slack_channels_external unique (organization_id, source_id, external_id),
    foreign key (organization_id, source_id) references sources (organization_id, id) on delete cascade
);
comment on table slack_channels is 'A channel of a mirrored Slack workspace, which is a source of documents.';
comment on column slack_channels.external_id is 'Slack''s id.';
comment on column slack_channels.name is 'As people call it: #general, or those who take part in a direct message.';
comment on column slack_channels.is_shared is 'Whether people of other companies are in it (Slack Connect).';
comment on column slack_channels.is_open is 'Whether its documents are for every member of the organization; otherwise for the members of the channel alone.';
call tenant_table('slack_channels');
grant select, insert, update, delete on slack_channels to amebo_app;

create table slack_users (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    source_id uuid not null,
    external_id text not null check (length(external_id) between 1 and 64),
    name text not null check (length(name) between 1 and 200),
    email text check (email = lower(email) and length(email) between 3 and 254),
    user_id uuid,
    is_bot boolean not null default false,
    is_deleted boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint slack_users_external unique (organization_id, source_id, external_id),
    foreign key (organization_id, source_id) references sources (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete set null (user_id)
);
comment on table slack_users is 'A user of a mirrored Slack workspace.';
comment on column slack_users.email is 'As the workspace confirmed it. A member of the organization with this address is taken for the same person.';
comment on column slack_users.user_id is 'The member they said they are; it goes before the address.';
create index slack_users_email on slack_users (organization_id, email) where email is not null;
create index slack_users_person on slack_users (organization_id, user_id) where user_id is not null;
call tenant_table('slack_users');
create policy system on slack_users to amebo_system using (true) with check (true);
grant select, insert, update, delete on slack_users to amebo_app;
grant select (id, organization_id, email, user_id, is_deleted) on slack_users to amebo_system;

create table slack_channel_members (
    organization_id uuid not null references organizations (id) on delete cascade,
    channel_id uuid not null,
    slack_user_id uuid not null,
    primary key (organization_id, channel_id, slack_user_id),
    foreign key (organization_id, channel_id) references slack_channels (organization_id, id) on delete cascade,
    foreign key (organization_id, slack_user_id) references slack_users (organization_id, id) on delete cascade
);
comment on table slack_channel_members is 'Who is in which channel. It is read with every request of a person, so that whoever leaves a channel sees nothing of it from then on.';
create index slack_channel_members_user on slack_channel_members (organization_id, slack_user_id);
call tenant_table('slack_channel_members');
create policy system on slack_channel_members to amebo_system using (true) with check (true);
grant select, insert, delete on slack_channel_members to amebo_app;
grant select on slack_channel_members to amebo_system;

create table slack_messages (
    organization_id uuid not null references organizations (id) on delete cascade,
    channel_id uuid not null,
    ts timestamptz not null,
    thread_ts timestamptz,
    author text not null check (length(author) between 1 and 64),
    content text not null,
    files jsonb check (jsonb_typeof(files) = 'array'),
    edited_at timestamptz,
    document_id uuid,
    pending boolean not null default true,
    primary key (organization_id, channel_id, ts),
    foreign key (organization_id, channel_id) references slack_channels (organization_id, id) on delete cascade,
    foreign key (organization_id, document_id) references documents (organization_id, id) on delete set null (document_id)
) partition by range (ts);
comment on table slack_messages is 'What people said in mirrored channels, by month. Apps and notices of Slack are not kept.';
comment on column slack_messages.ts is 'When it was posted, to the microsecond: Slack''s id of the message in its channel.';
comment on column slack_messages.thread_ts is 'The message that begins its thread; itself for one that has replies, null outside threads.';
comment on column slack_messages.author is 'Slack''s id of the user.';
comment on column slack_messages.content is 'In mrkdwn, as Slack escapes it.';
comment on column slack_messages.document_id is 'The document of the thread or conversation it belongs to.';
comment on column slack_messages.pending is 'Whether it came or changed since its document was written.';
create index slack_messages_document on slack_messages (organization_id, document_id) where document_id is not null;
create index slack_messages_thread on slack_messages (organization_id, channel_id, thread_ts) where thread_ts is not null;
create index slack_messages_pending on slack_messages (organization_id, channel_id, ts) where pending;
call tenant_table('slack_messages');
grant select, insert, update, delete on slack_messages to amebo_app;

create table slack_messages_default partition of slack_messages default;
comment on table slack_messages_default is 'Messages of months that have no partition of their own.';
call tenant_table('slack_messages_default');

create table slack_imports (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    source_id uuid not null,
    blob_id uuid,
    file_name text not null check (length(file_name) <= 255),
    workspace_url text check (length(workspace_url) <= 200),
    is_open boolean not null,
    state text not null check (state in ('waiting', 'running', 'done', 'failed')),
    error text check (error is null or state = 'failed'),
    days bigint not null default 0,
    days_done bigint not null default 0,
    bytes bigint not null default 0,
    bytes_done bigint not null default 0,
    users bigint not null default 0,
    channels bigint not null default 0,
    messages bigint not null default 0,
    messages_new bigint not null default 0,
    left_out jsonb not null default '{}' check (jsonb_typeof(left_out) = 'object'),
    problems jsonb not null default '[]' check (jsonb_typeof(problems) = 'array'),
    problem_count bigint not null default 0,
    created_by uuid,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, source_id) references sources (organization_id, id) on delete cascade,
    foreign key (organization_id, created_by) references organization_members (organization_id, user_id) on delete set null (created_by)
);
comment on table slack_imports is 'An export of a Slack workspace that is or was read in.';
comment on column slack_imports.blob_id is 'The archive, until it has been read.';
comment on column slack_imports.is_open is 'Whether documents are for every member of the organization rather than for the members of their channel.';
comment on column slack_imports.days_done is 'How many files of messages are stored; where the import goes on after a stop.';
comment on column slack_imports.bytes is 'Of the packed files of messages; what the remaining time is reckoned from.';
comment on column slack_imports.messages_new is 'How many of the messages were not known or not the same before.';
comment on column slack_imports.left_out is 'How many messages were not kept, by reason.';
comment on column slack_imports.problems is 'Files that could not be read: [{"file", "reason"}], the first hundred.';
create index slack_imports_newest on slack_imports (organization_id, id desc);
call tenant_table('slack_imports');
grant select, insert, update, delete on slack_imports to amebo_app;
