-- The three database roles of Amebo. Run as an administrator of the server; running it again changes nothing.
-- Then give the two that log in their passwords:  alter role amebo_app password '…';  alter role amebo_system password '…';
do $$
begin
    -- Owns every table and migrates them; nobody logs in as it. Whoever migrates must be granted it.
    if not exists (select from pg_roles where rolname = 'amebo_owner') then
        create role amebo_owner nologin nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    -- Serves one organisation at a time, bound by row-level security.
    if not exists (select from pg_roles where rolname = 'amebo_app') then
        create role amebo_app login nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    -- Signs people in, routes webhooks and claims jobs; has grants on few tables.
    if not exists (select from pg_roles where rolname = 'amebo_system') then
        create role amebo_system login nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
end
$$;
