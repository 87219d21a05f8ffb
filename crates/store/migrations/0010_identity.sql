-- Identity and governance: devices, links, throttles, invitations, API keys, role overrides, usage.

create table token_families (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    user_agent text not null check (length(user_agent) <= 300),
    address text not null check (length(address) <= 45),
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
comment on table token_families is 'A signed-in device: everything that descends from one sign-in. A system table.';
comment on column token_families.address is 'Where it was last used from.';
comment on column token_families.revoked_at is 'Once set, every credential of the family is refused at once.';
create index token_families_user on token_families (user_id, id);
create index token_families_expiry on token_families (expires_at);
grant select, insert, update, delete on token_families to amebo_system;

create table refresh_tokens (
    id uuid primary key,
    family_id uuid not null references token_families (id) on delete cascade,
    token_hash bytea not null unique check (length(token_hash) = 32),
    created_at timestamptz not null,
    used_at timestamptz
);
comment on table refresh_tokens is 'Refresh tokens, each good for one use. A system table.';
comment on column refresh_tokens.token_hash is 'SHA-256 of the token; the token itself is never stored.';
comment on column refresh_tokens.used_at is 'A token that is used again was copied: its family is revoked.';
create index refresh_tokens_family on refresh_tokens (family_id);
grant select, insert, update, delete on refresh_tokens to amebo_system;

create table account_links (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    purpose text not null check (purpose in ('sign_in', 'password_reset')),
    token_hash bytea not null unique check (length(token_hash) = 32),
    expires_at timestamptz not null,
    created_at timestamptz not null
);
comment on table account_links is 'Links that work once: signing in for the first time, choosing a new password. Deleted when used. A system table.';
comment on column account_links.token_hash is 'SHA-256 of the token in the link; the token itself is never stored.';
create index account_links_user on account_links (user_id, purpose);
grant select, insert, delete on account_links to amebo_system;

create table sign_in_throttles (
    subject bytea primary key check (length(subject) = 32),
    attempts integer not null check (attempts > 0),
    blocked_until timestamptz not null,
    expires_at timestamptz not null
);
comment on table sign_in_throttles is 'Attempts to prove a password that did not succeed, shared by all processes. A system table.';
comment on column sign_in_throttles.subject is 'SHA-256 of what is counted: an account''s address or a network address.';
create index sign_in_throttles_expiry on sign_in_throttles (expires_at);
grant select, insert, update, delete on sign_in_throttles to amebo_system;

create table invitations (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    role text not null check (role in ('owner', 'administrator', 'manager', 'bot_trainer', 'sales', 'agent', 'member', 'viewer')),
    invited_by uuid not null,
    token_hash bytea not null unique check (length(token_hash) = 32),
    expires_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, email),
    foreign key (organization_id, invited_by) references organization_members (organization_id, id) on delete cascade
);
comment on table invitations is 'An open invitation to join an organization. Deleted when accepted or revoked.';
comment on column invitations.invited_by is 'The member whose authority it carries: it ends with theirs.';
comment on column invitations.token_hash is 'SHA-256 of the token in the link; the token itself is never stored.';
create index invitations_invited_by on invitations (organization_id, invited_by);
call tenant_table('invitations');
create policy system on invitations to amebo_system using (true) with check (true);
grant select, insert, update, delete on invitations to amebo_app;
grant select, delete on invitations to amebo_system;

create table api_keys (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    member_id uuid not null,
    name text not null check (length(name) between 1 and 100),
    prefix text not null check (length(prefix) <= 20),
    key_hash bytea not null unique check (length(key_hash) = 32),
    scopes jsonb not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    foreign key (organization_id, member_id) references organization_members (organization_id, id) on delete cascade
);
comment on table api_keys is 'Machine access to one organization.';
comment on column api_keys.member_id is 'Who made it: the key never does more than they may do at that moment, and ends with their place.';
comment on column api_keys.prefix is 'The first characters of the key, by which a person recognises it.';
comment on column api_keys.key_hash is 'SHA-256 of the key; the key itself is shown once and never stored.';
comment on column api_keys.last_used_at is 'Kept to the minute.';
create index api_keys_member on api_keys (organization_id, member_id);
call tenant_table('api_keys');
create policy system on api_keys to amebo_system using (true) with check (true);
grant select, insert, update, delete on api_keys to amebo_app;
grant select, update (last_used_at) on api_keys to amebo_system;

create table role_permissions (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    role text not null check (role in ('administrator', 'manager', 'bot_trainer', 'sales', 'agent', 'member', 'viewer')),
    resource text not null,
    actions text[] not null check (actions <@ array['create', 'read', 'update', 'delete', 'approve']),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, role, resource)
);
comment on table role_permissions is 'Where an organization deviates from what a role may do by default. Owners cannot be restricted.';
call tenant_table('role_permissions');
create policy system on role_permissions to amebo_system using (true);
grant select, insert, update, delete on role_permissions to amebo_app;
grant select on role_permissions to amebo_system;

create table usage_counters (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    metric text not null check (metric in ('documents', 'storage_bytes', 'ai_answers')),
    period date not null,
    value bigint not null check (value >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, metric, period)
);
comment on table usage_counters is 'How much of its plan an organization has used.';
comment on column usage_counters.period is 'First day of the month for what is counted monthly; 1970-01-01 for what is kept.';
call tenant_table('usage_counters');
grant select, insert, update, delete on usage_counters to amebo_app;
