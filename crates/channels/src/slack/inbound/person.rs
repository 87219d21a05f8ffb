//! Slack's user object, as events and `users.*` give it.

use serde_json::Value;

use super::read::Read as _;
use crate::inbound::Person;

/// The company that a connection belongs to: a workspace, or an organisation of workspaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Home {
    /// The workspace, where it is one.
    pub team: Option<String>,
    /// The organisation of workspaces, where it belongs to one.
    pub enterprise: Option<String>,
}

impl Home {
    /// Whether a user object is of somebody in the company. `is_stranger` does not tell: it is false of people of other companies with
    /// whom a channel is shared (<https://docs.slack.dev/reference/objects/user-object>).
    fn holds(&self, user: &Value) -> bool {
        let enterprise = user
            .text("/enterprise_user/enterprise_id")
            .or_else(|| user.text("/enterprise_id"));
        if enterprise.is_some() && enterprise == self.enterprise.as_deref() {
            return true;
        }
        match (user.text("/team_id"), &self.team, &self.enterprise) {
            (Some(theirs), Some(ours), _) => theirs == ours,
            (Some(theirs), None, Some(ours)) => theirs == ours,
            (Some(_), None, None) => true,
            (None, ..) => enterprise.is_none(),
        }
    }
}

/// Reads a user object as the company of a connection sees them; `None` without an id.
pub fn read(user: &Value, home: &Home) -> Option<Person> {
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
        foreign: user.says("/is_stranger") || !home.holds(user),
        locale: user.string("/locale"),
        timezone: user.string("/tz"),
        id,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_foreign(user: &Value, team: Option<&str>, enterprise: Option<&str>) -> bool {
        let home = Home {
            team: team.map(str::to_owned),
            enterprise: enterprise.map(str::to_owned),
        };
        read(user, &home).unwrap().foreign
    }

    #[test]
    fn people_of_another_company_are_foreign_whatever_slack_calls_them() {
        let alone = json!({ "id": "U1", "team_id": "T1", "is_stranger": false });
        assert!(!is_foreign(&alone, Some("T1"), None));
        assert!(!is_foreign(&alone, Some("T1"), Some("E1")));
        assert!(!is_foreign(&alone, None, None));
        assert!(is_foreign(&alone, Some("T2"), None));
        assert!(is_foreign(&alone, None, Some("E1")));
        let in_grid = json!({ "id": "U1", "team_id": "T1", "enterprise_user": { "enterprise_id": "E1" } });
        assert!(!is_foreign(&in_grid, Some("T2"), Some("E1")));
        assert!(!is_foreign(&in_grid, None, Some("E1")));
        assert!(is_foreign(&in_grid, None, Some("E2")));
        assert!(is_foreign(&in_grid, Some("T2"), None));
        let stranger = json!({ "id": "U1", "team_id": "T1", "is_stranger": true });
        assert!(is_foreign(&stranger, Some("T1"), None));
        // Where Slack tells nothing but that they are no stranger.
        assert!(!is_foreign(&json!({ "id": "U1" }), Some("T1"), None));
    }
}
