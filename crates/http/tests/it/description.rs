//! The API description.

use amebo_core::answer::Outcome;
use amebo_core::permission::Role;
use serde_json::{Value, json};

#[test]
fn members_of_enumerations_are_described_by_the_names_they_travel_under() {
    let description: Value = serde_json::to_value(amebo_http::description()).unwrap();
    let named = |schema: &str| description["components"]["schemas"][schema]["enum"].clone();
    assert_eq!(named("Role"), json!(Role::ALL));
    assert_eq!(named("Outcome"), json!(Outcome::ALL));
}
