//! Another organisation's objects do not exist: every operation, called with somebody else's ids, answers 404.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use amebo_testkit::TestApp;

use crate::operation::{self, Ids, Operation};

#[tokio::test]
async fn every_operation_on_another_organization_answers_not_found() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.owner("Ours").await, app.owner("Theirs").await);
    let objects = operation::objects(&app, &theirs).await;
    let program = app.program(&ours, &["organization:read", "member:read"]).await;
    for operation in operation::all()
        .iter()
        .filter(|operation| operation.is_of_organization())
    {
        for client in [&ours.client, &program] {
            let reply = operation.call(client, &objects).await;
            assert_eq!(reply.status, 404, "{}: {}", operation.id, reply.text());
            assert_eq!(reply.problem(), "not-found", "{}", operation.id);
        }
    }
}

#[tokio::test]
async fn every_operation_on_another_organizations_object_answers_not_found() {
    let app = TestApp::start().await;
    let (ours, theirs) = (app.owner("Ours").await, app.owner("Theirs").await);
    let mut objects: Ids = operation::objects(&app, &theirs).await;
    objects.insert("organization_id", ours.organization.to_string());
    let program = app
        .program(&ours, &["question:create", "question:read", "document:read"])
        .await;
    let before = theirs.client.get(&theirs.path("/members")).await.text();
    for operation in operation::all() {
        let of_an_object = operation.objects().iter().any(|name| name != "organization_id");
        let of_ours =
            operation.is_of_organization() || operation.is_door() || operation.path.contains("{device_id}");
        if !of_an_object || !of_ours {
            continue;
        }
        let caller = if operation.is_door() {
            &program
        } else {
            &ours.client
        };
        let reply = operation.call(caller, &objects).await;
        assert_eq!(
            operation.status(&reply),
            404,
            "{}: {}",
            operation.id,
            reply.text()
        );
    }
    let listed = program.get("/v1/models").await.expect(200).text();
    assert!(!listed.contains(&objects["knowledge_base_name"]), "{listed}");
    assert_eq!(theirs.client.get(&theirs.path("/members")).await.text(), before);
}

#[tokio::test]
async fn every_operation_that_is_not_public_asks_for_a_credential() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let objects = operation::objects(&app, &owner).await;
    for operation in operation::all().iter().filter(|operation| !operation.is_public) {
        for client in [
            app.anonymous(),
            app.anonymous().with_bearer(Some("amebo_unknown")),
        ] {
            let reply = operation.call(&client, &objects).await;
            assert_eq!(reply.status, 401, "{}: {}", operation.id, reply.text());
            if operation.path.starts_with("/v1/") {
                assert_eq!(reply.json()["error"]["type"], "authentication_error");
            } else {
                assert_eq!(reply.problem(), "unauthenticated", "{}", operation.id);
            }
        }
    }
}

/// What the description lacks and these tests therefore name themselves; pages and their parts, which anybody may load, apart.
#[test]
fn every_route_past_the_description_is_one_of_the_doors() {
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(routes).unwrap() {
        let path = entry.unwrap().path();
        // Pages, and what Slack calls: signed rather than authenticated, and tested with Slack.
        let pages = ["dashboard.rs", "reference.rs", "start.rs", "slack.rs"].map(OsStr::new);
        if path.is_dir() || path.file_name().is_some_and(|name| pages.contains(&name)) {
            continue;
        }
        let source = fs::read_to_string(path).unwrap();
        let routed = source.split(".route(").skip(1);
        found.extend(routed.map(|rest| rest.split('"').nth(1).unwrap().to_owned()));
    }
    let doors = operation::all().into_iter().filter(Operation::is_door);
    let mut covered: Vec<String> = doors.map(|door| door.path).collect();
    covered.dedup();
    found.sort();
    covered.sort();
    assert_eq!(found, covered);
}
