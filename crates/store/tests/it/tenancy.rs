//! What row-level security refuses, whatever the SQL says.

use amebo_core::id::Id as _;
use amebo_core::permission::{Action, Resource, Role};
use amebo_store::managed::Login;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::database::Database;

#[tokio::test]
async fn without_an_organization_every_tenant_table_refuses_to_be_read() {
    let database = Database::new().await;
    let (organization, _) = database.organization("Ours").await;
    // Of a table that is empty and has no index by organization nothing is read, so nothing is refused either.
    sqlx::query(
        "insert into jobs (id, organization_id, kind, priority, payload, run_at, max_attempts, created_at, updated_at)
         values (gen_random_uuid(), $1, 'test', 'bulk', '{}', now(), 1, now(), now())",
    )
    .bind(organization.uuid())
    .execute(&mut database.raw().await)
    .await
    .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.relname::text from pg_class c join pg_policy p on p.polrelid = c.oid and p.polname = 'tenant'
         where has_table_privilege('amebo_app', c.oid, 'select') order by 1",
    )
    .fetch_all(&mut database.raw().await)
    .await
    .unwrap();
    assert!(tables.len() > 20);
    let mut app = database.login(Login::App).await;
    for table in tables {
        let read = app
            .execute(AssertSqlSafe(format!("select count(*) from {table}")))
            .await;
        // Most tables have no rows to refuse, yet the function is evaluated once before their index is read.
        let message = read.unwrap_err().to_string();
        assert!(message.contains("no organization is set"), "{table}: {message}");
    }
}

#[tokio::test]
async fn another_organizations_rows_are_neither_seen_nor_changed_nor_made() {
    let database = Database::new().await;
    let (ours, _) = database.organization("Ours").await;
    let (theirs, _) = database.organization("Theirs").await;
    let mut app = database.login(Login::App).await;
    let mut tx = app.begin().await.unwrap();
    sqlx::query("select set_config('amebo.organization', $1, true)")
        .bind(ours.to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
    let seen: Vec<(sqlx::types::Uuid,)> = sqlx::query_as("select organization_id from organization_members")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert_eq!(seen, [(ours.uuid(),)]);
    let changed = sqlx::query("update organization_members set role = 'viewer' where organization_id = $1")
        .bind(theirs.uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 0);
    let moved = sqlx::query("update organization_members set organization_id = $1")
        .bind(theirs.uuid())
        .execute(&mut *tx)
        .await;
    assert!(
        moved
            .unwrap_err()
            .to_string()
            .contains("row-level security policy")
    );
}

#[tokio::test]
async fn a_permit_is_only_for_what_was_asked() {
    let database = Database::new().await;
    let (organization, _) = database.organization("Acme").await;
    let viewer = database.colleague(organization, Role::Viewer).await;
    assert!(viewer.permit(Resource::Document, Action::Read).is_ok());
    let refused = viewer.permit(Resource::Document, Action::Delete).unwrap_err();
    assert_eq!(refused.to_string(), "this needs the permission document:delete");
}
