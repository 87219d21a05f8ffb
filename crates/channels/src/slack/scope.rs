//! What Amebo asks a workspace to allow, why, and what is missing of it.

use std::collections::BTreeSet;

/// A permission that an app's own user can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Slack's name for it.
    pub name: &'static str,
    /// What it serves, for whoever grants it.
    pub purpose: &'static str,
    /// Which of Amebo's abilities needs it.
    pub need: Need,
}

/// Which of Amebo's abilities needs a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Being asked and answering.
    Asking,
    /// Reading channels to learn from them.
    Synchronising,
    /// Searching live where nothing may be stored.
    Searching,
}

/// Everything Amebo can make use of.
pub const SCOPES: [Scope; 23] = [
    scope(
        "app_mentions:read",
        Need::Asking,
        "hear when somebody mentions Amebo",
    ),
    scope(
        "assistant:write",
        Need::Asking,
        "suggest questions and name conversations",
    ),
    scope(
        "channels:read",
        Need::Asking,
        "know which public channels there are and who is in them",
    ),
    scope("chat:write", Need::Asking, "answer"),
    scope("commands", Need::Asking, "offer /ask and /askall"),
    scope(
        "groups:read",
        Need::Asking,
        "know who is in the private channels Amebo was invited to",
    ),
    scope(
        "im:history",
        Need::Asking,
        "read what is written to Amebo directly",
    ),
    scope("im:read", Need::Asking, "know its direct conversations"),
    scope("im:write", Need::Asking, "answer directly"),
    scope(
        "mpim:read",
        Need::Asking,
        "know who is in the group conversations Amebo was invited to",
    ),
    scope("team:read", Need::Asking, "know the workspace's name and address"),
    scope("users:read", Need::Asking, "know people's names"),
    scope(
        "users:read.email",
        Need::Asking,
        "find who in the organisation is asking",
    ),
    scope(
        "channels:history",
        Need::Asking,
        "follow the threads in which Amebo was asked, and read public channels",
    ),
    scope(
        "channels:join",
        Need::Synchronising,
        "go into the public channels that were chosen",
    ),
    scope("files:read", Need::Synchronising, "read files that were shared"),
    scope(
        "groups:history",
        Need::Asking,
        "follow threads in the private channels Amebo was invited to, and read those",
    ),
    scope(
        "mpim:history",
        Need::Asking,
        "follow threads in group conversations",
    ),
    scope(
        "reactions:read",
        Need::Synchronising,
        "see which answers were marked as right",
    ),
    scope(
        "chat:write.public",
        Need::Synchronising,
        "answer in public channels without being invited",
    ),
    scope(
        "search:read.public",
        Need::Searching,
        "search public channels live",
    ),
    scope("search:read.files", Need::Searching, "search files live"),
    scope("search:read.users", Need::Searching, "search people live"),
];

const fn scope(name: &'static str, need: Need, purpose: &'static str) -> Scope {
    Scope { name, purpose, need }
}

/// The names of what `needs` take.
pub fn required(needs: &[Need]) -> Vec<&'static str> {
    SCOPES
        .iter()
        .filter(|scope| needs.contains(&scope.need))
        .map(|scope| scope.name)
        .collect()
}

/// How what was granted differs from what is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Wanted and not granted.
    pub missing: Vec<String>,
    /// Granted and not wanted.
    pub extra: Vec<String>,
}

/// How what was granted differs from what `needs` take.
pub fn drift(granted: &[String], needs: &[Need]) -> Drift {
    let wanted: BTreeSet<&str> = required(needs).into_iter().collect();
    let granted: BTreeSet<&str> = granted.iter().map(|scope| scope.trim()).collect();
    let names = |names: Vec<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect();
    Drift {
        missing: names(wanted.difference(&granted).collect()),
        extra: names(
            granted
                .difference(&wanted)
                .filter(|name| !name.is_empty())
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_names_what_is_missing_and_what_is_too_much() {
        let mut granted: Vec<String> = required(&[Need::Asking]).into_iter().map(str::to_owned).collect();
        assert_eq!(drift(&granted, &[Need::Asking]), Drift::default());
        granted.retain(|scope| scope != "chat:write");
        granted.push("admin".to_owned());
        assert_eq!(
            drift(&granted, &[Need::Asking]),
            Drift {
                missing: vec!["chat:write".to_owned()],
                extra: vec!["admin".to_owned()]
            }
        );
        assert!(
            drift(&granted, &[Need::Asking, Need::Synchronising])
                .missing
                .contains(&"channels:join".to_owned())
        );
    }

    #[test]
    fn every_permission_is_asked_for_once() {
        let names: BTreeSet<&str> = SCOPES.iter().map(|scope| scope.name).collect();
        assert_eq!(names.len(), SCOPES.len());
    }
}
