//! Another organisation's objects do not exist: every operation, called with somebody else's ids, answers 404.

use amebo_testkit::TestApp;

use crate::operation::{self, Ids};

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
    let before = theirs.client.get(&theirs.path("/members")).await.text();
    for operation in operation::all() {
        let of_an_object = operation.objects().iter().any(|&name| name != "organization_id");
        let of_ours = operation.is_of_organization() || operation.path.contains("{device_id}");
        if !of_an_object || !of_ours {
            continue;
        }
        let reply = operation.call(&ours.client, &objects).await;
        assert_eq!(reply.status, 404, "{}: {}", operation.id, reply.text());
    }
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
            assert_eq!(reply.problem(), "unauthenticated", "{}", operation.id);
        }
    }
}
