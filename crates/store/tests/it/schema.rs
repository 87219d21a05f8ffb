//! Rules that every table keeps, read from the catalogue, so that a new table cannot forget them.

use sqlx::PgConnection;

use crate::database::Database;

/// What a query over the catalogue finds wrong, one line each.
async fn offenders(query: &'static str) -> Vec<String> {
    let database = Database::new().await;
    let mut connection: PgConnection = database.raw().await;
    sqlx::query_scalar(query)
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

macro_rules! tables {
    ($rest:literal) => {
        concat!(
            "with tables as (
                select c.oid, c.relname::text as name, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner,
                       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped)
                           as of_tenant
                from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> '_sqlx_migrations'
            ) ",
            $rest
        )
    };
}

#[tokio::test]
async fn there_are_tables_to_check() {
    let tenants = offenders(tables!("select name from tables where of_tenant")).await;
    assert!(tenants.len() > 20, "{tenants:?}");
    assert!(tenants.iter().any(|name| name == "api_keys"));
}

#[tokio::test]
async fn every_table_is_commented_and_belongs_to_the_owner() {
    let wrong = offenders(tables!(
        "select name from tables
         where obj_description(oid, 'pg_class') is null or relowner <> 'amebo_owner'::regrole"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_tenant_table_forces_row_level_security() {
    let wrong = offenders(tables!(
        "select name from tables
         where (of_tenant or name = 'organizations') and not (relrowsecurity and relforcerowsecurity)"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_tenant_table_has_the_policy_for_reading_and_writing() {
    let wrong = offenders(tables!(
        "select name from tables t
         where (of_tenant or name = 'organizations') and not exists (
            select from pg_policy p
            where p.polrelid = t.oid and p.polname = 'tenant' and p.polpermissive and p.polcmd = '*'
              and p.polroles = array['amebo_app'::regrole::oid]
              and pg_get_expr(p.polqual, p.polrelid) ~ '^\\((organization_)?id = \\( SELECT current_organization\\(\\) AS current_organization\\)\\)$'
              and pg_get_expr(p.polwithcheck, p.polrelid) = pg_get_expr(p.polqual, p.polrelid))"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn no_other_policy_lets_the_application_see_more() {
    let wrong = offenders(
        "select polrelid::regclass::text || '.' || polname from pg_policy
         where polname <> 'tenant' and (0 = any (polroles) or 'amebo_app'::regrole = any (polroles))",
    )
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_tenant_table_has_a_unique_key_that_begins_with_the_organization() {
    // Nobody refers to a job.
    let wrong = offenders(tables!(
        "select name from tables t
         where of_tenant and name <> 'jobs' and not exists (
            select from pg_index i join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
            where i.indrelid = t.oid and i.indisunique and i.indpred is null and a.attname = 'organization_id')"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn every_reference_between_tenant_tables_names_the_organization() {
    let wrong = offenders(tables!(
        "select format('%s: %s', t.name, k.conname) from tables t
         join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
         join tables r on r.oid = k.confrelid
         where t.of_tenant and r.of_tenant
           and not exists (
            select from unnest(k.conkey, k.confkey) as pair (own, other)
            join pg_attribute a on a.attrelid = t.oid and a.attnum = pair.own
            join pg_attribute b on b.attrelid = r.oid and b.attnum = pair.other
            where a.attname = 'organization_id' and b.attname = 'organization_id')"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn the_application_reaches_no_table_outside_tenancy_and_may_truncate_none() {
    let wrong = offenders(tables!(
        "select name from tables
         where (not of_tenant and name <> 'organizations' and has_table_privilege('amebo_app', oid, 'select, insert, update, delete'))
            or has_table_privilege('amebo_app', oid, 'truncate, references, trigger')
            or has_table_privilege('amebo_system', oid, 'truncate, references, trigger')"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_granted_to_everybody() {
    let wrong = offenders(tables!(
        "select format('%s: %s', c.relname, grants.privilege_type)
         from pg_class c, aclexplode(c.relacl) as grants
         where c.relnamespace = 'public'::regnamespace and grants.grantee = 0"
    ))
    .await;
    assert_eq!(wrong, Vec::<String>::new());
}
