//! Who may do what: every operation, called by everybody, against a file that a person has read.
//!
//! `yes` means that nothing but the missing object or the body kept the caller from it; `no` that a permission did; `hidden` that the
//! organisation does not exist for them. After a wanted change, write the file anew with `INSTA_UPDATE=always` and read the difference.

use std::fmt::Write as _;

use amebo_core::permission::{Action, Resource, Role};
use amebo_testkit::{Client, Person, Reply, TestApp};
use chrono::TimeDelta;

use crate::operation::{self, Operation};

/// What changes who may do what, and so happens in an organisation of its own.
const APART: &[&str] = &[
    "delete_organization",
    "join_organization",
    "leave_organization",
    "sign_out",
];

/// Everybody who might call, and an organisation that some of them belong to.
struct World {
    owner: Person,
    callers: Vec<(String, Client)>,
}

impl World {
    async fn new(app: &TestApp, name: &str) -> Self {
        let owner = app.owner(name).await;
        let scopes: Vec<String> = Resource::ALL
            .iter()
            .flat_map(|resource| {
                Action::ALL
                    .iter()
                    .map(move |action| format!("{resource}:{action}"))
            })
            .collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let mut callers = vec![
            (
                "outsider".to_owned(),
                app.owner(&format!("Not {name}")).await.client,
            ),
            ("superadmin".to_owned(), app.superadmin().await),
            ("key(every scope)".to_owned(), app.program(&owner, &scopes).await),
            (
                "key(one scope)".to_owned(),
                app.program(&owner, &["organization:read"]).await,
            ),
        ];
        for &role in Role::ALL.iter().rev().filter(|&&role| role != Role::Owner) {
            callers.push((role.to_string(), app.member(&owner, role).await.client));
        }
        // Last, since the owner may delete the organisation.
        callers.push(("owner".to_owned(), owner.client.clone()));
        Self { owner, callers }
    }
}

fn class(operation: &Operation, caller: &str, reply: &Reply) -> &'static str {
    match operation.status(reply) {
        200..=299 | 409 | 422 => "yes",
        403 if reply.text().contains("urn:amebo:problem:quota-exceeded") => "yes",
        403 => "no",
        404 if reply.text().contains("there is no such organization") => "hidden",
        404 => "yes",
        status => panic!("{} as {caller} answered {status}: {}", operation.id, reply.text()),
    }
}

#[tokio::test]
async fn every_operation_is_allowed_to_those_in_the_golden_file_and_nobody_else() {
    let app = TestApp::start().await;
    let shared = World::new(&app, "Shared").await;
    let objects = operation::objects(&app, &shared.owner).await;
    let mut golden = String::new();
    for operation in operation::all() {
        if operation.is_public {
            writeln!(golden, "{}: public", operation.id).unwrap();
            continue;
        }
        // Limits by rate are counted on the test's clock.
        app.clock.advance(TimeDelta::seconds(2));
        let own = if APART.contains(&operation.id.as_str()) {
            Some(World::new(&app, &operation.id).await)
        } else {
            None
        };
        let world = own.as_ref().unwrap_or(&shared);
        let ids = operation::absent(&world.owner, &objects);
        let mut classes = Vec::new();
        for (name, client) in &world.callers {
            let reply = operation.call(client, &ids).await;
            classes.push((name, class(&operation, name, &reply)));
        }
        classes.reverse();
        writeln!(golden, "{}:", operation.id).unwrap();
        for wanted in ["yes", "no", "hidden"] {
            let names: Vec<_> = classes
                .iter()
                .filter(|(_, class)| *class == wanted)
                .map(|(name, _)| name.as_str())
                .collect();
            if !names.is_empty() {
                writeln!(golden, "  {wanted}: {}", names.join(", ")).unwrap();
            }
        }
    }
    insta::assert_snapshot!("roles", golden);
}
