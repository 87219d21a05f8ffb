//! The managed PostgreSQL: first start, second start, crashes, and refusals.

use std::fs;
use std::path::Path;
use std::time::Duration;

use amebo_store::managed::{Durability, Error, Login, Postgres, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnection;

fn settings() -> Settings {
    Settings {
        durability: Durability::None,
        ..Settings::default()
    }
}

/// A directory that the account PostgreSQL runs under may enter.
fn directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

async fn connect(postgres: &Postgres, login: Login) -> PgConnection {
    postgres.options(login).connect().await.unwrap()
}

async fn text(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

fn server_pid(directory: &Path) -> Option<Pid> {
    let file = fs::read_to_string(directory.join("cluster/postmaster.pid")).ok()?;
    Some(Pid::from_raw(file.lines().next()?.parse().ok()?))
}

#[tokio::test]
async fn data_survive_a_stop_and_only_the_owner_makes_tables() {
    let directory = directory();
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let mut owner = connect(&postgres, Login::Owner).await;
    assert_eq!(text(&mut owner, "select current_user::text").await, "amebo_owner");
    sqlx::query("create table note (words text)")
        .execute(&mut owner)
        .await
        .unwrap();
    sqlx::query("insert into note values ('kept')")
        .execute(&mut owner)
        .await
        .unwrap();
    for (login, name) in [(Login::App, "amebo_app"), (Login::System, "amebo_system")] {
        let mut connection = connect(&postgres, login).await;
        assert_eq!(text(&mut connection, "select current_user::text").await, name);
        let refused = sqlx::query("create table other (words text)")
            .execute(&mut connection)
            .await;
        assert!(refused.unwrap_err().to_string().contains("permission denied"));
        let refused = sqlx::query("select words from note")
            .execute(&mut connection)
            .await;
        assert!(refused.unwrap_err().to_string().contains("permission denied"));
    }
    drop(owner);
    postgres.stop().await;

    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let mut owner = connect(&postgres, Login::Owner).await;
    assert_eq!(text(&mut owner, "select words from note").await, "kept");
    postgres.stop().await;
}

#[tokio::test]
async fn no_role_of_amebo_is_superuser_or_bypasses_row_security() {
    let directory = directory();
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let mut administrator = connect(&postgres, Login::Administrator).await;
    let roles = text(
        &mut administrator,
        "select string_agg(rolname || case when rolcanlogin then ' logs in' else ' owns' end, ', ' order by rolname)
         from pg_roles where rolname like 'amebo%' and not rolsuper and not rolbypassrls and not rolcreatedb and not rolcreaterole",
    )
    .await;
    assert_eq!(roles, "amebo_app logs in, amebo_owner owns, amebo_system logs in");
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_server_is_started_again() {
    let directory = directory();
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let killed = server_pid(directory.path()).unwrap();
    kill(killed, Signal::SIGKILL).unwrap();
    let mut again = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            if server_pid(directory.path()) != Some(killed)
                && let Ok(connection) = postgres.options(Login::App).connect().await
            {
                break connection;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(text(&mut again, "select current_user::text").await, "amebo_app");
    postgres.stop().await;
}

#[tokio::test]
async fn a_second_amebo_is_refused_but_may_attach() {
    let directory = directory();
    assert!(matches!(
        Postgres::attach(directory.path()).await,
        Err(Error::NotRunning { .. })
    ));
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let second = Postgres::start(directory.path(), &settings()).await;
    assert!(matches!(second, Err(Error::InUse { .. })));
    let attached = Postgres::attach(directory.path()).await.unwrap();
    let mut connection = connect(&attached, Login::App).await;
    attached.stop().await;
    assert_eq!(text(&mut connection, "select 'still there'").await, "still there");
    postgres.stop().await;
    assert!(matches!(
        Postgres::attach(directory.path()).await,
        Err(Error::NotRunning { .. })
    ));
}

#[tokio::test]
async fn data_of_another_version_are_refused_and_left_alone() {
    let directory = directory();
    fs::create_dir(directory.path().join("cluster")).unwrap();
    let version = directory.path().join("cluster/PG_VERSION");
    fs::write(&version, "99\n").unwrap();
    let refused = Postgres::start(directory.path(), &settings()).await.unwrap_err();
    assert!(matches!(refused, Error::DataFormat { data: 99, .. }), "{refused}");
    assert!(refused.to_string().contains("install PostgreSQL 99"));
    assert_eq!(fs::read_dir(directory.path().join("cluster")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_long_data_directory_gets_a_socket_elsewhere() {
    let directory = directory();
    let long = directory.path().join("d".repeat(100));
    let postgres = Postgres::start(&long, &settings()).await.unwrap();
    assert!(!postgres.socket_directory().starts_with(&long));
    let mut connection = connect(&postgres, Login::App).await;
    assert_eq!(
        text(&mut connection, "select current_user::text").await,
        "amebo_app"
    );
    let socket_directory = postgres.socket_directory().to_owned();
    postgres.stop().await;
    fs::remove_dir_all(socket_directory).unwrap();
}

#[tokio::test]
async fn programs_that_are_not_there_are_named() {
    let directory = directory();
    let settings = Settings {
        programs: Some("/nonexistent".into()),
        ..settings()
    };
    let refused = Postgres::start(directory.path(), &settings).await.unwrap_err();
    assert!(refused.to_string().contains("/nonexistent"), "{refused}");
}

#[tokio::test]
async fn an_unfinished_cluster_is_made_anew() {
    let directory = directory();
    fs::create_dir(directory.path().join("cluster.unfinished")).unwrap();
    fs::write(directory.path().join("cluster.unfinished/PG_VERSION"), "15").unwrap();
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    assert!(!directory.path().join("cluster.unfinished").exists());
    postgres.stop().await;
}

#[tokio::test]
async fn a_directory_that_keeps_the_account_out_is_named() {
    use std::os::unix::fs::PermissionsExt;
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let directory = directory();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let refused = Postgres::start(&directory.path().join("data"), &settings())
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Untraversable { .. }), "{refused}");
}

#[tokio::test]
async fn a_lock_file_left_by_a_crash_does_not_keep_the_server_out() {
    use std::os::unix::fs::{MetadataExt, chown};
    let directory = directory();
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let (lock, kept) = (
        directory.path().join("cluster/postmaster.pid"),
        directory.path().join("kept"),
    );
    fs::copy(&lock, &kept).unwrap();
    let owner = fs::metadata(&lock).unwrap();
    postgres.stop().await;
    assert!(!lock.exists());
    // It still says `ready`, and names a process that is gone.
    fs::rename(&kept, &lock).unwrap();
    chown(&lock, Some(owner.uid()), Some(owner.gid())).unwrap();
    let postgres = Postgres::start(directory.path(), &settings()).await.unwrap();
    let mut connection = connect(&postgres, Login::App).await;
    assert_eq!(
        text(&mut connection, "select current_user::text").await,
        "amebo_app"
    );
    postgres.stop().await;
}
