-- Links by which members say who they are on a channel.

create table channel_links (
    id uuid primary key,
    organization_id uuid not null,
    connection_id uuid not null,
    external_id text not null check (length(external_id) between 1 and 200),
    token_hash bytea not null unique check (length(token_hash) = 32),
    expires_at timestamptz not null,
    created_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, connection_id, external_id),
    foreign key (organization_id, connection_id) references channel_connections (organization_id, id) on delete cascade
);
comment on table channel_links is 'A link that a person on a channel asked for: the member who follows it and confirms is that person. It works once, for a quarter of an hour, and each person has one.';
comment on column channel_links.external_id is 'The platform''s id of the person who asked for it.';
comment on column channel_links.token_hash is 'SHA-256 of what the link holds.';
call tenant_table('channel_links');
grant select, insert, update, delete on channel_links to amebo_app;
