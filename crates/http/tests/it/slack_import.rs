//! Exports of Slack workspaces: what becomes of them, and who finds it.

use std::io::{Cursor, Write as _};

use amebo_app::mirror::ImportSlackHandler;
use amebo_core::permission::Role;
use amebo_testkit::slack::Ids;
use amebo_testkit::{Person, Reply, TestApp};
use axum::http::{Method, Request};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::ingest::run_killed;
use crate::knowledge_base::knowledge_base;

/// An archive of these files.
pub(crate) fn archive(files: &[(&str, Value)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        let text = match content {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workspace of three people, one of them known by `address`: a public channel of all, a private one of Cleo alone.
fn workspace(address: &str) -> Vec<(&'static str, Value)> {
    let said = |user: &str, seconds: i64, text: &str| json!({ "type": "message", "user": user, "text": text, "ts": format!("{}.000100", 1_500_000_000 + seconds) });
    let mut question = said(
        "U1",
        0,
        "How do I rotate the <https://keys.example|signing keys>?",
    );
    question["thread_ts"] = question["ts"].clone();
    question["reply_count"] = json!(1);
    let mut reply = said("U3", 90_000, "<@U1> run the keyring script");
    reply["thread_ts"] = question["ts"].clone();
    vec![
        (
            "users.json",
            json!([
                { "id": "U1", "team_id": "T1", "name": "ada", "profile": { "display_name": "Ada", "email": address } },
                { "id": "U2", "name": "deploybot", "is_bot": true },
                { "id": "U3", "name": "cleo", "real_name": "Cleo" },
            ]),
        ),
        (
            "channels.json",
            json!([{ "id": "C1", "name": "general", "members": ["U1", "U3"] }]),
        ),
        (
            "groups.json",
            json!([{ "id": "G1", "name": "board", "members": ["U3"] }]),
        ),
        (
            "general/2017-07-14.json",
            json!([
                question,
                said("U3", 60, "The canteen closes early on Friday"),
                said("U1", 70, "thanks"),
                said("U2", 80, "deployed canteen 1.2"),
                json!({ "type": "message", "subtype": "channel_join", "user": "U3", "text": "joined", "ts": "1500000001.000000" }),
            ]),
        ),
        ("general/2017-07-15.json", json!([reply])),
        ("general/2017-07-16.json", json!("[{ \"broken")),
        (
            "board/2017-07-14.json",
            json!([said("U3", 5, "The merger is called Bluebird")]),
        ),
    ]
}

async fn send(owner: &Person, base: &str, query: &str, archive: Vec<u8>) -> Reply {
    let path = owner.path(&format!(
        "/knowledge-bases/{base}/slack-imports?name=export.zip{query}"
    ));
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .body(archive.into());
    owner.client.send(request.unwrap()).await
}

/// Sends an archive and does all work that follows from it.
pub(crate) async fn imported(
    app: &TestApp,
    owner: &Person,
    base: &str,
    query: &str,
    archive: Vec<u8>,
) -> Value {
    let sent = send(owner, base, query, archive).await.expect(202).json();
    app.run_jobs().await;
    let path = owner.path(&format!("/slack-imports/{}", sent["id"].as_str().unwrap()));
    owner.client.get(&path).await.expect(200).json()
}

#[tokio::test]
async fn an_export_is_findable_by_the_members_of_its_channels_and_importing_it_again_changes_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let member = app.member(&owner, Role::Member).await;
    let base = knowledge_base(&owner, "Chat").await;
    let files = workspace(&member.email);
    let query = "&workspace=acme.slack.com";
    let import = imported(&app, &owner, &base, query, archive(&files)).await;
    assert_eq!(import["state"], "done", "{import}");
    assert_eq!(
        (
            &import["users"],
            &import["channels"],
            &import["messages"],
            &import["messages_new"]
        ),
        (&json!(3), &json!(2), &json!(5), &json!(5))
    );
    assert_eq!(import["left_out"], json!({ "bot": 1, "notice": 1 }));
    assert_eq!(import["problem_count"], 1);
    assert_eq!(import["problems"][0]["file"], "general/2017-07-16.json");
    assert_eq!(import["messages_without_document"], 0);

    let keys = app.found(&member, "rotate signing keys").await;
    assert!(
        keys[0].contains(
            "Ada (14 July 2017 02:40 UTC): How do I rotate the signing keys (https://keys.example)?"
        ) && keys[0].contains("Cleo (15 July 2017 03:40 UTC): @Ada run the keyring script"),
        "{keys:?}"
    );
    let canteen = app.found(&member, "canteen Friday").await;
    assert!(
        canteen[0].contains("Ada (02:41): thanks") && !canteen[0].contains("deployed"),
        "{canteen:?}"
    );
    let listed = member
        .client
        .get(&member.path("/documents"))
        .await
        .expect(200)
        .json();
    let links: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["source_url"].clone())
        .collect();
    assert_eq!(links.len(), 2);
    assert!(
        links.contains(&json!("https://acme.slack.com/archives/C1/p1500000000000100")),
        "{links:?}"
    );
    for word in ["Bluebird merger", "rotate signing keys"] {
        assert_eq!(
            app.found(&owner, word).await,
            Vec::<String>::new(),
            "the owner is in no channel"
        );
    }
    assert!(
        app.found(&member, "Bluebird merger")
            .await
            .iter()
            .all(|found| !found.contains("Bluebird"))
    );
    assert_eq!(app.stored_files(), 0, "the archive is not kept");

    let versions = "select coalesce(sum(version), 0) + 1000 * count(*) from documents";
    let before = app.scalar(versions).await;
    let again = imported(&app, &owner, &base, query, archive(&files)).await;
    assert_eq!(
        (&again["messages"], &again["messages_new"]),
        (&json!(5), &json!(0))
    );
    assert_eq!(app.scalar(versions).await, before);
}

#[tokio::test]
async fn an_export_that_tells_no_address_goes_to_the_workspace_of_its_users() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Chat").await;
    let files = workspace("ada@acme.example");
    app.connect_workspace(&owner, "T1", None, json!({})).await;
    let addressed = "with addressed as (update channel_connections set account = account || '{\"url\": \"https://acme.slack.com/\"}' returning id)
        select count(*) from addressed";
    assert_eq!(app.scalar(addressed).await, 1);
    let told = imported(&app, &owner, &base, "&workspace=acme.slack.com", archive(&files)).await;
    let untold = imported(&app, &owner, &base, "", archive(&files)).await;
    assert_eq!(
        (&untold["state"], &untold["messages_new"]),
        (&json!("done"), &json!(0)),
        "{untold}"
    );
    assert_eq!(untold["workspace"], told["workspace"]);

    let mut others = workspace("bo@other.example");
    others[0].1[0]["team_id"] = json!("T2");
    let other = imported(&app, &owner, &base, "", archive(&others)).await;
    assert_eq!(
        (&other["state"], &other["messages_new"], &other["workspace"]),
        (&json!("done"), &json!(5), &json!(null)),
        "channels of two workspaces may have the same ids"
    );
    let again = imported(&app, &owner, &base, "", archive(&others)).await;
    assert_eq!(again["messages_new"], 0);
}

#[tokio::test]
async fn whoever_leaves_a_channel_finds_nothing_of_it_from_then_on() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let member = app.member(&owner, Role::Member).await;
    let base = knowledge_base(&owner, "Chat").await;
    imported(&app, &owner, &base, "", archive(&workspace(&member.email))).await;
    assert_eq!(app.found(&member, "canteen").await.len(), 2);
    let mut files = workspace(&member.email);
    files[1].1 = json!([{ "id": "C1", "name": "general", "members": ["U3"] }]);
    imported(&app, &owner, &base, "", archive(&files)).await;
    assert_eq!(app.found(&member, "canteen").await, Vec::<String>::new());
    let documents = member
        .client
        .get(&member.path("/documents"))
        .await
        .expect(200)
        .json();
    assert_eq!(documents["items"], json!([]));
}

#[tokio::test]
async fn public_channels_can_be_opened_to_everybody_and_private_ones_never_are() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Chat").await;
    let files = workspace("nobody@elsewhere.example");
    imported(&app, &owner, &base, "&audience=organization", archive(&files)).await;
    assert_eq!(app.found(&owner, "canteen").await.len(), 2);
    assert!(
        app.found(&owner, "Bluebird")
            .await
            .iter()
            .all(|found| !found.contains("Bluebird"))
    );
}

#[tokio::test]
async fn a_file_that_is_no_export_is_given_up_with_a_reason_and_not_kept() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let base = knowledge_base(&owner, "Chat").await;
    for (bytes, reason) in [
        (b"not a zip".to_vec(), "the file is not a zip archive"),
        (
            archive(&[("readme.txt", json!("hello"))]),
            "the archive is not a Slack export",
        ),
    ] {
        let import = imported(&app, &owner, &base, "", bytes).await;
        assert_eq!(import["state"], "failed");
        assert!(import["error"].as_str().unwrap().starts_with(reason), "{import}");
    }
    assert_eq!(app.stored_files(), 0);
    for (query, status) in [("&workspace=nonsense", 422), ("&audience=everybody", 400)] {
        let reply = send(&owner, &base, query, b"PK".to_vec()).await;
        assert_eq!(reply.status, status, "{query}");
    }
    let listed = owner
        .client
        .get(&owner.path("/slack-imports"))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_import_that_is_killed_anywhere_goes_on_and_stores_everything_once() {
    let app = TestApp::start().await;
    let mut polls = 1;
    for round in 0.. {
        let owner = app.owner(&format!("Acme {round}")).await;
        let base = knowledge_base(&owner, "Chat").await;
        let sent = send(&owner, &base, "", archive(&workspace("a@b.example")))
            .await
            .expect(202)
            .json();
        let ended = run_killed(&app, ImportSlackHandler(app.app.clone()), polls).await;
        app.run_jobs().await;
        // What failed beside the killed connections is due again by then.
        app.clock.advance(chrono::TimeDelta::minutes(5));
        app.run_jobs().await;
        let organization = owner.organization;
        let stored = app
            .scalar(&format!(
                "select count(*) from slack_messages where organization_id = '{organization}'"
            ))
            .await;
        assert_eq!(stored, 5, "killed after {polls} polls");
        let documents = app
            .scalar(&format!("select count(*) from documents where organization_id = '{organization}' and status = 'indexed'"))
            .await;
        assert_eq!(documents, 3, "killed after {polls} polls");
        let import = sent["id"].as_str().unwrap();
        let counted = app
            .scalar(&format!("select messages * 10 + problem_count from slack_imports where id = '{import}' and state = 'done'"))
            .await;
        assert_eq!(counted, 51, "killed after {polls} polls");
        if ended {
            break;
        }
        polls += 6;
    }
    assert!(polls > 6, "the import was stopped at least once");
}

#[tokio::test]
async fn files_of_an_export_are_fetched_from_slack_with_the_addresses_it_names_and_from_nowhere_else() {
    let (app, slack) = TestApp::start_with_slack().await;
    let owner = app.owner("Acme").await;
    let member = app.member(&owner, Role::Member).await;
    let base = knowledge_base(&owner, "Chat").await;
    let file = slack.world().add_file(
        slack.url(),
        Ids::TEAM,
        "F0PLAN",
        "plan.txt",
        "text/plain",
        b"The garden is planted in March.",
    );
    let address = |file: &Value| {
        format!(
            "{}?t={}",
            file["url_private_download"].as_str().unwrap(),
            Ids::EXPORT_TOKEN
        )
    };
    let shared = |id: &str, address: &str| {
        json!({ "id": id, "name": "plan.txt", "title": "Garden plan", "mimetype": "text/plain", "size": 31, "mode": "hosted",
                "permalink": format!("https://acme.slack.com/files/U1/{id}/plan.txt"), "url_private_download": address })
    };
    let message = |seconds: i64, file: Value| {
        json!({ "type": "message", "subtype": "file_share", "user": "U1", "text": "Here", "ts": format!("{}.000100", 1_500_000_000 + seconds),
                "files": [file] })
    };
    let mut files = workspace(&member.email);
    files.push((
        "general/2017-07-17.json",
        json!([
            message(260_000, shared("F0PLAN", &address(&file))),
            message(
                260_100,
                shared("F0OTHER", "https://files.example/plan.txt?t=xoxe-fake-export")
            ),
        ]),
    ));
    imported(&app, &owner, &base, "&workspace=acme.slack.com", archive(&files)).await;
    let found = app.found(&member, "garden planted").await;
    assert!(found.iter().any(|text| text.contains("in March")), "{found:?}");
    assert_eq!(app.found(&owner, "garden planted").await, Vec::<String>::new());
    let states = "select count(*) from slack_files where state = 'stored' and external_id = 'F0PLAN'
                  or state = 'unreachable' and external_id = 'F0OTHER'";
    assert_eq!(app.scalar(states).await, 2);
    let open = "select count(*) from slack_files f, slack_messages m
                where encode(f.sealed_address, 'escape') like '%xoxe%' or m.files::text like '%xoxe%'";
    assert_eq!(app.scalar(open).await, 0);
}
