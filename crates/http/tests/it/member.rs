//! What may be done to members, and by whom.

use amebo_core::permission::Role;
use amebo_testkit::{Person, Reply, TestApp};
use serde_json::{Value, json};

async fn place(of: &Person, owner: &Person) -> String {
    let members = owner.client.get(&owner.path("/members")).await.expect(200).json();
    let member = members["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["user_id"] == of.user.to_string())
        .unwrap();
    member["id"].as_str().unwrap().to_owned()
}

async fn change(by: &Person, member: &str, change: Value) -> Reply {
    by.client
        .patch(&by.path(&format!("/members/{member}")), &change)
        .await
}

#[tokio::test]
async fn nobody_gives_a_role_or_a_permission_beyond_their_own() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let manager = app.member(&owner, Role::Manager).await;
    let agent = app.member(&owner, Role::Agent).await;
    let (boss, target, own) = (
        place(&owner, &owner).await,
        place(&agent, &owner).await,
        place(&manager, &owner).await,
    );
    for wish in [
        json!({ "role": "owner" }),
        json!({ "role": "administrator" }),
        json!({ "role": "manager" }),
        json!({ "custom_permissions": { "grant": ["api_key:create"] } }),
    ] {
        assert_eq!(
            change(&manager, &target, wish).await.expect(403).problem(),
            "forbidden"
        );
    }
    let _ = change(
        &manager,
        &own,
        json!({ "custom_permissions": { "grant": ["api_key:create"] } }),
    )
    .await
    .expect(403);
    let _ = change(&manager, &boss, json!({ "status": "suspended" }))
        .await
        .expect(403);
    let reply = change(&manager, &target, json!({ "role": "bot_trainer" })).await;
    assert_eq!(reply.expect(200).json()["role"], "bot_trainer");
    let granted = change(
        &owner,
        &target,
        json!({ "custom_permissions": { "grant": ["api_key:create"] } }),
    )
    .await;
    let _ = granted.expect(200);
}

#[tokio::test]
async fn a_change_of_role_acts_on_the_next_request() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let person = app.member(&owner, Role::Viewer).await;
    let member = place(&person, &owner).await;
    let _ = person.client.get(&person.path("/api-keys")).await.expect(403);
    let _ = change(&owner, &member, json!({ "role": "administrator" }))
        .await
        .expect(200);
    let _ = person.client.get(&person.path("/api-keys")).await.expect(200);
    let denial = json!({ "custom_permissions": { "deny": ["api_key:read"] } });
    let _ = change(&owner, &member, denial).await.expect(200);
    let _ = person.client.get(&person.path("/api-keys")).await.expect(403);
}

#[tokio::test]
async fn the_last_owner_stays() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let second = app.member(&owner, Role::Administrator).await;
    let (first_place, second_place) = (place(&owner, &owner).await, place(&second, &owner).await);
    let leave = owner.path("/leave");
    for wish in [json!({ "role": "viewer" }), json!({ "status": "suspended" })] {
        let reply = change(&owner, &first_place, wish).await.expect(409);
        assert_eq!(reply.problem(), "conflict");
    }
    let path = owner.path(&format!("/members/{first_place}"));
    let _ = owner.client.delete(&path).await.expect(409);
    let _ = owner.client.post(&leave, &Value::Null).await.expect(409);
    let _ = change(&owner, &second_place, json!({ "role": "owner" }))
        .await
        .expect(200);
    let _ = owner.client.post(&leave, &Value::Null).await.expect(204);
    let _ = owner.client.get(&owner.path("")).await.expect(404);
}

#[tokio::test]
async fn two_owners_who_leave_at_once_do_not_leave_the_organization_without_one() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let second = app.member(&owner, Role::Owner).await;
    let leave = owner.path("/leave");
    let (one, other) = tokio::join!(
        owner.client.post(&leave, &Value::Null),
        second.client.post(&leave, &Value::Null)
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}

#[tokio::test]
async fn an_organization_changes_what_a_role_may_do() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    let member = app.member(&owner, Role::Member).await;
    let administrator = app.member(&owner, Role::Administrator).await;
    let _ = member.client.get(&member.path("/members")).await.expect(403);
    let path = owner.path("/roles/member");
    let overrides = json!({ "overrides": { "member": ["read"] } });
    let reply = administrator.client.put(&path, &overrides).await.expect(200);
    assert_eq!(reply.json()["overrides"]["member"], json!(["read"]));
    let _ = member.client.get(&member.path("/members")).await.expect(200);
    let beyond = json!({ "overrides": { "organization": ["read", "delete"] } });
    let _ = administrator.client.put(&path, &beyond).await.expect(403);
    let of_owner = owner.client.put(&owner.path("/roles/owner"), &overrides).await;
    let _ = of_owner.expect(403);
    let _ = owner
        .client
        .put(&path, &json!({ "overrides": {} }))
        .await
        .expect(200);
    let _ = member.client.get(&member.path("/members")).await.expect(403);
}

#[tokio::test]
async fn members_are_listed_in_pages_and_an_altered_cursor_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner("Acme").await;
    for _ in 0..4 {
        app.member(&owner, Role::Viewer).await;
    }
    let (mut path, mut seen) = (owner.path("/members?limit=2"), Vec::new());
    loop {
        let page = owner.client.get(&path).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = owner.path(&format!("/members?limit=2&cursor={cursor}"));
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), &seen), (5, &sorted));
    let reply = owner.client.get(&owner.path("/members?cursor=altered")).await;
    assert_eq!(reply.expect(422).json()["errors"][0]["pointer"], "/cursor");
}
