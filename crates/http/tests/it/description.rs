//! The API description.

use amebo_core::answer::Outcome;
use amebo_core::permission::Role;
use serde_json::{Value, json};

#[test]
fn the_committed_description_is_current() {
    let committed = include_str!("../../openapi.json");
    let current = amebo_http::description().to_pretty_json().unwrap();
    assert!(
        committed.trim_end() == current.trim_end(),
        "crates/http/openapi.json is not what the code says; run ./dev gen"
    );
}

#[test]
fn members_of_enumerations_are_described_by_the_names_they_travel_under() {
    let description: Value = serde_json::to_value(amebo_http::description()).unwrap();
    let named = |schema: &str| description["components"]["schemas"][schema]["enum"].clone();
    assert_eq!(named("Role"), json!(Role::ALL));
    assert_eq!(named("Outcome"), json!(Outcome::ALL));
}
