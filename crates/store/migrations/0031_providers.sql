-- Language-model providers an organization brings.

create table providers (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    name text not null check (length(name) between 1 and 100),
    protocol text not null check (protocol in ('anthropic', 'openai')),
    base_url text check (length(base_url) <= 500),
    model text not null check (length(model) between 1 and 200),
    sealed_key bytea,
    is_active boolean not null default false,
    last_tested_at timestamptz,
    last_test_error text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, name)
);
comment on table providers is 'A language-model service configured by an organization.';
comment on column providers.base_url is 'Null for the vendor''s own address.';
comment on column providers.sealed_key is 'The API key, sealed; null for services that need none.';
comment on column providers.is_active is 'Whether it writes the answers; at most one does.';
comment on column providers.last_test_error is 'What the last test said; null after a success.';
create unique index providers_active on providers (organization_id) where is_active;
call tenant_table('providers');
grant select, insert, update, delete on providers to amebo_app;
