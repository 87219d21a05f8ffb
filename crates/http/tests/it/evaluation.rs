//! Questions with known answers, replayed; and the page that describes the API.

use amebo_testkit::TestApp;
use serde_json::{Value, json};

use crate::question::acme;

#[tokio::test]
async fn a_set_is_replayed_and_judged() {
    let app = TestApp::start().await;
    let owner = acme(&app).await;
    let documents = owner
        .client
        .get(&owner.path("/documents"))
        .await
        .expect(200)
        .json();
    let document = &documents["items"][0]["id"];
    let set = json!({ "name": "Basics", "cases": [
        { "question": "How many days of paid leave do new employees receive?", "document_ids": [document], "answers": ["25 days"] },
        { "question": "Which planets have rings?", "answerable": false },
    ] });
    let path = owner.path("/evaluation-sets");
    let made = owner.client.post(&path, &set).await.expect(201).json();
    assert_eq!(made["size"], 2);
    let _ = owner.client.post(&path, &set).await.expect(409);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let run = owner
        .client
        .post(&format!("{one}/runs"), &Value::Null)
        .await
        .expect(202)
        .json();
    assert_eq!(run["state"], "queued");
    app.run_jobs().await;
    let run_path = owner.path(&format!("/evaluation-runs/{}", run["id"].as_str().unwrap()));
    let done = owner.client.get(&run_path).await.expect(200).json();
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(done["metrics"]["hit@1"], 1.0);
    assert_eq!(done["metrics"]["contained"], 1.0, "{done:#}");
    assert_eq!(done["metrics"]["declined"], 1.0);
    assert_eq!(done["results"].as_array().unwrap().len(), 2);
    assert_eq!(app.scalar("select count(*) from questions").await, 0);
    let runs = owner.client.get(&format!("{one}/runs")).await.expect(200).json();
    assert_eq!(runs["items"][0]["id"], run["id"]);
    let _ = owner.client.delete(&one).await.expect(204);
    let _ = owner.client.get(&run_path).await.expect(404);
}

#[tokio::test]
async fn a_set_says_which_case_is_wrong() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let set = json!({ "name": "Bad", "cases": [{ "question": "ok" }, { "question": " " }] });
    let reply = owner
        .client
        .post(&owner.path("/evaluation-sets"), &set)
        .await
        .expect(422);
    assert_eq!(reply.json()["errors"][0]["pointer"], "/cases/1/question");
}

#[tokio::test]
async fn the_description_and_its_page_are_served_without_any_other_host() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    let description = anybody.get("/api/openapi.json").await.expect(200).json();
    assert!(description["paths"]["/api/v1/organizations/{organization_id}/questions"]["post"].is_object());
    for path in [
        "/api/reference",
        "/api/reference/reference.js",
        "/api/reference/reference.css",
    ] {
        let file = anybody.get(path).await.expect(200);
        let policy = file.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(!file.text().contains("https://"), "{path} names another host");
    }
}

#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    let app = TestApp::start().await;
    let description = app.anonymous().get("/api/openapi.json").await.expect(200).json();
    let mut open = vec![&description];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(|reference| reference.as_str()) {
                    references += 1;
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(description.pointer(pointer).is_some(), "{reference}");
                }
                open.extend(fields.values());
            }
            serde_json::Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(references > 100, "{references}");
}

#[tokio::test]
async fn every_address_of_the_dashboard_answers_a_page_that_runs_no_script_of_its_own() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    for path in ["/", "/sign-in", "/reset-password", "/o/acme/ask/1", "/operator"] {
        let page = anybody.get(path).await.expect(200);
        let policy = page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(page.text().contains("<title>Amebo</title>") && !page.text().contains("<script>"));
    }
    let missing = anybody.get("/dashboard/nothing.js").await.expect(404);
    assert_eq!(missing.json()["type"], "urn:amebo:problem:not-found");
}
