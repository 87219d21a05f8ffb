-- Tenancy: organisations, the people who can sign in, and their places.
--
-- Conventions every later migration keeps (a test reads them from the catalogue):
--   * a tenant table has organization_id, unique (organization_id, id), composite foreign keys, row-level security enabled and
--     forced, and the policy `tenant` made by call tenant_table(...);
--   * amebo_app reaches rows only through that policy; amebo_system reaches a tenant table only through a policy `system` that the
--     migration writes out, with the fewest grants;
--   * every table has a comment.

create function current_organization() returns uuid
language plpgsql stable parallel safe as $$
declare
    setting text := current_setting('amebo.organization', true);
begin
    if setting is null or setting = '' then
        raise exception 'no organization is set for this transaction' using errcode = 'insufficient_privilege';
    end if;
    return setting::uuid;
end $$;
comment on function current_organization() is 'The organization this transaction works for; raises when none is set, so that a forgotten scope fails instead of finding nothing.';

create procedure tenant_table(name regclass)
language plpgsql as $$
begin
    execute format('alter table %s enable row level security', name);
    execute format('alter table %s force row level security', name);
    execute format(
        'create policy tenant on %s to amebo_app using (organization_id = (select current_organization())) with check (organization_id = (select current_organization()))',
        name);
end $$;
comment on procedure tenant_table(regclass) is 'Puts a table under row-level security: amebo_app sees and writes only rows of the current organization.';

create table organizations (
    id uuid primary key,
    name text not null check (length(name) between 1 and 200),
    slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 60),
    domain text unique,
    settings jsonb not null default '{}',
    subscription_status text not null default 'trial' check (subscription_status in ('trial', 'active', 'inactive', 'cancelled')),
    subscription_plan text not null default 'free' check (subscription_plan in ('free', 'starter', 'professional', 'enterprise')),
    trial_ends_at timestamptz,
    limits jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table organizations is 'The tenant: a company.';
comment on column organizations.limits is 'Deviations from the plan''s limits.';
alter table organizations enable row level security;
alter table organizations force row level security;
create policy tenant on organizations to amebo_app using (id = (select current_organization())) with check (id = (select current_organization()));
create policy system on organizations to amebo_system using (true) with check (true);
grant select, update, delete on organizations to amebo_app;
grant select, insert, update on organizations to amebo_system;

create table users (
    id uuid primary key,
    email text not null unique check (email = lower(email) and length(email) between 3 and 254),
    name text not null check (length(name) between 1 and 200),
    password_hash text,
    is_superadmin boolean not null default false,
    is_active boolean not null default true,
    last_login_at timestamptz,
    preferences jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table users is 'A person who can sign in. A system table: a person may belong to several organizations.';
comment on column users.password_hash is 'Argon2id in PHC form; null for people who sign in otherwise or have not chosen one yet.';
comment on column users.is_superadmin is 'A platform operator: manages organizations, sees no tenant content.';
grant select, insert, update on users to amebo_system;

create table organization_members (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    user_id uuid not null references users (id),
    role text not null check (role in ('owner', 'administrator', 'manager', 'bot_trainer', 'sales', 'agent', 'member', 'viewer')),
    status text not null check (status in ('active', 'suspended')),
    custom_permissions jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, user_id)
);
comment on table organization_members is 'A user''s place in one organization.';
comment on column organization_members.custom_permissions is 'Grants and denials on top of the role: {"grant": [...], "deny": [...]}.';
create index organization_members_user on organization_members (user_id);
call tenant_table('organization_members');
create policy system on organization_members to amebo_system using (true) with check (true);
grant select, insert, update, delete on organization_members to amebo_app;
grant select, insert on organization_members to amebo_system;

-- What a member list may show of a person, without giving amebo_app the users table.
create view member_profiles with (security_barrier) as
select m.organization_id, m.id as member_id, m.user_id, u.email, u.name, u.is_active, u.last_login_at
from organization_members m join users u on u.id = m.user_id
where m.organization_id = current_organization();
comment on view member_profiles is 'Name and address of the current organization''s members. It runs with its owner''s rights, so it names the organization itself.';
grant select on member_profiles to amebo_app;
