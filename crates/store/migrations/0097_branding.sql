-- What an organization's pages carry: its logo, and links to its public profiles.

create table logos (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    mime_type text not null check (mime_type in ('image/png', 'image/jpeg', 'image/webp')),
    content bytea not null check (octet_length(content) between 1 and 262144),
    version text not null check (length(version) = 16),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint logos_organization unique (organization_id)
);
comment on table logos is 'The picture that an organization puts in the place of Amebo''s mark. Small and on every page, so it is kept here rather than in object storage.';
comment on column logos.mime_type is 'Decided by content.';
comment on column logos.version is 'The beginning of the SHA-256 of the content, in hexadecimal: part of its address.';
call tenant_table('logos');
grant select, insert, update, delete on logos to amebo_app;
-- The page on which people sign in shows it before anybody is known.
create policy system on logos for select to amebo_system using (true);
grant select on logos to amebo_system;

create table social_links (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    platform text not null check (platform in ('twitter', 'facebook', 'linkedin', 'instagram', 'youtube')),
    url text not null check (length(url) <= 500),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, id),
    constraint social_links_platform unique (organization_id, platform)
);
comment on table social_links is 'The public profiles of an organization.';
call tenant_table('social_links');
grant select, insert, update, delete on social_links to amebo_app;
