-- Writes that a client repeats are done once.

create table idempotency_keys (
    id uuid primary key,
    organization_id uuid not null references organizations (id) on delete cascade,
    actor text not null,
    key text not null check (length(key) between 1 and 200),
    request_hash bytea not null check (length(request_hash) = 32),
    response jsonb,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    unique (organization_id, id),
    unique (organization_id, actor, key)
);
comment on table idempotency_keys is 'What was answered to a write that carried an Idempotency-Key, for a day.';
comment on column idempotency_keys.actor is 'Whose key it is: two people may use the same one.';
comment on column idempotency_keys.request_hash is 'SHA-256 over method, path and body; the same key with another request is refused.';
comment on column idempotency_keys.response is 'Null while the first request is under way.';
create index idempotency_keys_age on idempotency_keys (expires_at);
call tenant_table('idempotency_keys');
create policy system on idempotency_keys to amebo_system using (true) with check (true);
grant select, insert, update, delete on idempotency_keys to amebo_app;
grant select, delete on idempotency_keys to amebo_system;
