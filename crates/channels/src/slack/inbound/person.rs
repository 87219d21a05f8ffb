//! Slack's user object, as events and `users.*` give it.

use serde_json::Value;

use super::read::Read as _;
use crate::inbound::Person;

/// Reads a user object; `None` without an id.
pub fn read(user: &Value) -> Option<Person> {
    let id = user.string("/id")?;
    let name = [
        "/profile/display_name",
        "/profile/real_name",
        "/real_name",
        "/name",
    ]
    .into_iter()
    .find_map(|pointer| user.string(pointer));
    Some(Person {
        team: user.string("/team_id"),
        name,
        email: user.string("/profile/email"),
        email_confirmed: user.pointer("/is_email_confirmed").and_then(Value::as_bool),
        // Slackbot is a program that does not say so.
        is_program: user.says("/is_bot") || user.says("/is_workflow_bot") || id == "USLACKBOT",
        deactivated: user.says("/deleted"),
        guest: user.says("/is_restricted") || user.says("/is_ultra_restricted"),
        foreign: user.says("/is_stranger"),
        locale: user.string("/locale"),
        timezone: user.string("/tz"),
        id,
    })
}
