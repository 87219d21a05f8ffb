-- Accounts on channels that an organization connected, and the people who write from there.

create table channel_connections (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    kind text not null check (kind in ('slack', 'teams', 'whatsapp', 'telegram', 'line', 'wechat', 'widget', 'email', 'highlevel')),
    external_account_id text check (length(external_account_id) between 1 and 200),
    app_id text check (length(app_id) <= 200),
    display_name text not null check (length(display_name) between 1 and 200),
    status text not null check (status in ('pending', 'active', 'needs_attention', 'disconnected')),
    status_reason text check (length(status_reason) <= 1000),
    sealed_app bytea,
    sealed_credentials bytea,
    scopes text[] not null default '{}',
    token_expires_at timestamptz,
    refreshing_until timestamptz,
    account jsonb not null default '{}',
    configuration jsonb not null default '{}',
    connected_by uuid,
    connected_at timestamptz,
    last_event_at timestamptz,
    last_error text check (length(last_error) <= 1000),
    last_error_at timestamptz,
    refused_count bigint not null default 0,
    last_refusal text,
    last_refused_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, connected_by) references organization_members (organization_id, user_id) on delete set null (connected_by),
    check (status not in ('active', 'needs_attention') or external_account_id is not null)
);
comment on table channel_connections is 'One connected account of a channel, such as a Slack workspace.';
comment on column channel_connections.external_account_id is 'The account''s id on the platform: a Slack team, or an enterprise for an org-wide installation. Null until it is known.';
comment on column channel_connections.app_id is 'The platform''s id of the app it is connected through.';
comment on column channel_connections.sealed_app is 'Sealed: client id, client secret and signing secret of the organization''s own app. Null when the server''s app is used.';
comment on column channel_connections.sealed_credentials is 'Sealed: the tokens. Null before authorisation and after disconnecting.';
comment on column channel_connections.refreshing_until is 'Until when one process has the right to renew the tokens.';
comment on column channel_connections.account is 'What the platform says of the account: ids of the bot, address of the workspace.';
comment on column channel_connections.configuration is 'What administrators chose: who counts as a colleague, knowledge bases, channels.';
comment on column channel_connections.refused_count is 'Webhooks refused in its name: forged, stale, too large, after disconnecting.';
-- An account that speaks belongs to one organization only, so that nothing said there reaches another.
create unique index channel_connections_account on channel_connections (kind, external_account_id) where status in ('active', 'needs_attention');
create index channel_connections_of_organization on channel_connections (organization_id, kind, created_at);
create index channel_connections_connected_by on channel_connections (organization_id, connected_by) where connected_by is not null;
create index channel_connections_expiring on channel_connections (token_expires_at) where status = 'active' and token_expires_at is not null;
create index channel_connections_by_account on channel_connections (kind, external_account_id) where external_account_id is not null;
call tenant_table('channel_connections');
create policy system on channel_connections to amebo_system using (true) with check (true);
grant select, insert, update, delete on channel_connections to amebo_app;
grant select (id, organization_id, kind, external_account_id, app_id, status, sealed_app, token_expires_at, configuration, refused_count, last_event_at),
      update (last_event_at, refused_count, last_refusal, last_refused_at, updated_at) on channel_connections to amebo_system;

create table channel_installations (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    connection_id uuid,
    user_id uuid not null,
    kind text not null check (kind in ('slack', 'teams')),
    state_hash bytea not null unique check (length(state_hash) = 32),
    settings jsonb not null default '{}',
    expires_at timestamptz not null,
    created_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete cascade
);
comment on table channel_installations is 'Installations under way: what the platform''s answer is checked against, once, within ten minutes.';
comment on column channel_installations.state_hash is 'SHA-256 of the state that went to the platform through the browser.';
create index channel_installations_age on channel_installations (expires_at);
create index channel_installations_of_connection on channel_installations (organization_id, connection_id) where connection_id is not null;
create index channel_installations_of_user on channel_installations (organization_id, user_id);
call tenant_table('channel_installations');
create policy system on channel_installations to amebo_system using (true) with check (true);
grant select, insert, delete on channel_installations to amebo_app;
grant select, delete on channel_installations to amebo_system;

create table contacts (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    name text check (length(name) <= 200),
    email text check (length(email) <= 254),
    phone text check (length(phone) <= 40),
    external_crm_id text check (length(external_crm_id) <= 200),
    tags text[] not null default '{}',
    attributes jsonb not null default '{}',
    consent jsonb not null default '{}',
    language text check (length(language) <= 20),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id)
);
comment on table contacts is 'A person outside the organization, across channels.';
comment on column contacts.consent is 'What they agreed to and when, by purpose.';
create index contacts_recent on contacts (organization_id, created_at desc, id desc);
create index contacts_by_email on contacts (organization_id, lower(email)) where email is not null;
call tenant_table('contacts');
grant select, insert, update, delete on contacts to amebo_app;

create table channel_identities (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    connection_id uuid not null,
    external_id text not null check (length(external_id) between 1 and 200),
    contact_id uuid,
    user_id uuid,
    display_name text check (length(display_name) <= 200),
    email text check (length(email) <= 254),
    standing text not null check (standing in ('colleague', 'guest', 'stranger', 'bot')),
    verified_at timestamptz,
    checked_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, connection_id, external_id),
    foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete cascade,
    foreign key (organization_id, contact_id) references contacts (organization_id, id) on delete cascade,
    foreign key (organization_id, user_id) references organization_members (organization_id, user_id) on delete cascade,
    check (num_nonnulls(contact_id, user_id) = 1)
);
comment on table channel_identities is 'What a person is called on one connected account: a member of the organization, or a contact.';
comment on column channel_identities.standing is 'What the account itself says they are: one of its own people, a guest there, from another company, or a program.';
comment on column channel_identities.verified_at is 'When it was established that this is that member: by the address the platform verified, or by a link they followed.';
comment on column channel_identities.checked_at is 'When the platform was last asked about them.';
create index channel_identities_of_contact on channel_identities (organization_id, contact_id) where contact_id is not null;
create index channel_identities_of_user on channel_identities (organization_id, user_id) where user_id is not null;
call tenant_table('channel_identities');
grant select, insert, update, delete on channel_identities to amebo_app;
