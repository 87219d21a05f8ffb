-- Envelope encryption: a master key wraps one data key per organization; secrets are sealed under the data key.

create table data_keys (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    wrapped bytea not null,
    master_key text not null,
    created_at timestamptz not null,
    retired_at timestamptz,
    unique (organization_id, id)
);
comment on table data_keys is 'Wrapped data keys. Deleting an organization deletes its keys, and with them everything sealed, in backups too.';
comment on column data_keys.wrapped is 'The key, sealed under the master key.';
comment on column data_keys.master_key is 'Which master key wraps it.';
comment on column data_keys.retired_at is 'Since when it opens but no longer seals; it goes when nothing is sealed under it any more.';
create unique index data_keys_active on data_keys (organization_id) where retired_at is null;
create index data_keys_by_master on data_keys (master_key);
call tenant_table('data_keys');
create policy system on data_keys to amebo_system using (true) with check (true);
grant select on data_keys to amebo_app;
grant select, insert, update, delete on data_keys to amebo_system;
