-- Who did what. Rows are chained by hashes within an organization, and the application may only add and read.

-- Makes the partitions of the given month and the months after it, under the same row-level security as their parent.
-- A month whose rows already lie in the default partition is left there.
create function ensure_month_partitions(parent regclass, first_month date, months integer) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    month date := date_trunc('month', first_month)::date;
    name text;
begin
    if (select relowner from pg_class where oid = parent) <> 'amebo_owner'::regrole then
        raise exception 'not a table of amebo' using errcode = 'insufficient_privilege';
    end if;
    for step in 1 .. least(months, 24) loop
        name := format('%s_%s', (select relname from pg_class where oid = parent), to_char(month, 'YYYY_MM'));
        if to_regclass(format('public.%I', name)) is null then
            begin
                execute format('create table public.%I partition of %s for values from (%L) to (%L)', name, parent, month, (month + interval '1 month')::date);
                execute format('call public.tenant_table(%L)', format('public.%I', name));
                execute format('comment on table public.%I is %L', name, format('One month of %s.', parent));
            exception when check_violation then
                raise warning 'rows of % lie in the default partition', name;
            end;
        end if;
        month := (month + interval '1 month')::date;
    end loop;
end $$;
comment on function ensure_month_partitions(regclass, date, integer) is 'Makes monthly partitions ahead of time; runs as the owner, for the maintenance that has no other right to change the schema.';
revoke all on function ensure_month_partitions(regclass, date, integer) from public;
grant execute on function ensure_month_partitions(regclass, date, integer) to amebo_system;

create table audit_log (
    id uuid not null,
    organization_id uuid not null,
    number bigint not null check (number > 0),
    actor_kind text not null check (actor_kind in ('user', 'api_key', 'system', 'contact')),
    actor_id uuid,
    action text not null check (length(action) between 1 and 100),
    resource_type text not null check (length(resource_type) between 1 and 100),
    resource_id uuid,
    details json,
    ip text check (length(ip) <= 45),
    request_id text check (length(request_id) <= 200),
    salt bytea,
    details_digest bytea not null check (length(details_digest) = 32),
    previous_hash bytea not null check (length(previous_hash) = 32),
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null,
    primary key (organization_id, number, created_at),
    unique (organization_id, id, created_at)
) partition by range (created_at);
comment on table audit_log is 'Who did what, append-only. It outlives its organization, hence no foreign key.';
comment on column audit_log.number is 'Position in the organization''s chain, from 1, without gaps.';
comment on column audit_log.details is 'What changed (before and after, never secrets); json and not jsonb, so that the hashed text is what is stored.';
comment on column audit_log.details_digest is 'SHA-256 over salt, details and address. The chain covers this digest, so that a person''s data can be erased and the chain still be verified.';
comment on column audit_log.salt is 'Random; erased with the details, so that what was erased cannot be guessed from the digest.';
comment on column audit_log.hash is 'SHA-256 over the entry and previous_hash; 32 zero bytes stand before the first entry.';
create index audit_log_by_resource on audit_log (organization_id, resource_type, resource_id, number);
create index audit_log_by_actor on audit_log (organization_id, actor_id, number);
call tenant_table('audit_log');
create policy system on audit_log to amebo_system using (true) with check (true);
grant select, insert on audit_log to amebo_app;
grant select, update (details, ip, salt) on audit_log to amebo_system;

create table audit_log_default partition of audit_log default;
comment on table audit_log_default is 'Entries of months that have no partition of their own.';
call tenant_table('audit_log_default');
select ensure_month_partitions('audit_log', current_date, 3);

create table audit_heads (
    organization_id uuid primary key,
    number bigint not null,
    hash bytea not null check (length(hash) = 32)
);
comment on table audit_heads is 'The last entry of each organization''s chain; its row lock puts the entries in order.';
call tenant_table('audit_heads');
grant select, insert, update on audit_heads to amebo_app;
