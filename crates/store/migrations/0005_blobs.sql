-- Files in object storage. An object exists for the product only through its row.

create table blobs (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    key text not null unique check (length(key) between 1 and 500),
    media_type text not null check (length(media_type) between 1 and 200),
    size_bytes bigint not null check (size_bytes >= 0),
    sha256 bytea not null check (length(sha256) = 32),
    created_at timestamptz not null,
    unique (organization_id, id)
);
comment on table blobs is 'Stored files: where their bytes are and what they are. Objects without a row are swept away after a day.';
comment on column blobs.key is 'The object''s key in the storage.';
create index blobs_of_organization on blobs (organization_id, created_at);
call tenant_table('blobs');
create policy system on blobs to amebo_system using (true) with check (true);
grant select, insert, delete on blobs to amebo_app;
grant select on blobs to amebo_system;
