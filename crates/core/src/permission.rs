//! Who may do what: roles, resources, actions, and the matrix that joins them.
//!
//! A person's permissions are the role's row of the matrix (which an organisation may override), plus grants, minus
//! denials of that one member. A denial always wins. An API key's permissions are its scopes, as far as whoever made it still
//! has them. Nothing is allowed by default.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Declares an enumeration whose members have one stable name in the database, in the API and in the terminal.
///
/// The name is taken as a token: captured as a literal it reaches derive macros wrapped in a group, and utoipa overlooks it.
macro_rules! named_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:tt,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every member, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result { f.write_str(self.as_str()) }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::permission::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::permission::UnknownName {
                        kind: stringify!($name),
                        expected: &[$($text,)*],
                    }),
                }
            }
        }
    };
}

pub(crate) use named_enum;

/// A name that no member of an enumeration has.
#[derive(Debug, thiserror::Error)]
#[error("unknown {kind}; expected one of {}", expected.join(", "))]
pub struct UnknownName {
    /// The enumeration.
    pub kind: &'static str,
    /// The names it knows.
    pub expected: &'static [&'static str],
}

named_enum! {
    /// A person's one role in an organisation. `Superadmin` is not a place in an organisation but the platform operator.
    pub enum Role {
        /// Everything, billing and deleting the organisation included.
        Owner = "owner",
        /// Everything but ownership.
        Administrator = "administrator",
        /// People, knowledge, conversations, approvals.
        Manager = "manager",
        /// Knowledge, bots, workflows.
        BotTrainer = "bot_trainer",
        /// Contacts, own transactions and commissions.
        Sales = "sales",
        /// Conversations and contacts.
        Agent = "agent",
        /// Ask, own conversations, upload where allowed.
        Member = "member",
        /// Read only.
        Viewer = "viewer",
    }
}

named_enum! {
    /// A kind of thing that can be acted on.
    pub enum Resource {
        /// The organisation itself: name, settings, limits.
        Organization = "organization",
        /// The people in it.
        Member = "member",
        /// Invitations to join.
        Invitation = "invitation",
        /// Machine access.
        ApiKey = "api_key",
        /// Collections of documents.
        KnowledgeBase = "knowledge_base",
        /// Documents, and through them passages.
        Document = "document",
        /// Asking questions and searching.
        Question = "question",
        /// One's own conversation sessions.
        Session = "session",
        /// Tenant-wide figures about questions and answers.
        Analytics = "analytics",
        /// The texts of what other people asked.
        Transcript = "transcript",
        /// The audit log.
        Audit = "audit",
        /// Evaluation sets and runs.
        Evaluation = "evaluation",
        /// Language-model and embedding providers.
        Provider = "provider",
        /// Background jobs of the organisation.
        Job = "job",
        /// Connected accounts of channels: Slack workspaces, numbers, bots, widgets.
        ChannelConnection = "channel_connection",
        /// Conversations on channels, and their messages.
        Conversation = "conversation",
        /// People outside, across channels.
        Contact = "contact",
    }
}

named_enum! {
    /// What is done to a resource.
    pub enum Action {
        /// Make a new one.
        Create = "create",
        /// See it.
        Read = "read",
        /// Change it.
        Update = "update",
        /// Remove it.
        Delete = "delete",
        /// Confirm what somebody else prepared.
        Approve = "approve",
    }
}

/// One thing that may be done, written `document:create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// What is acted on.
    pub resource: Resource,
    /// What is done.
    pub action: Action,
}

impl Permission {
    /// The permission to do `action` to `resource`.
    pub const fn new(resource: Resource, action: Action) -> Self {
        Self { resource, action }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

/// A text that is not a permission.
#[derive(Debug, thiserror::Error)]
pub enum ParsePermissionError {
    /// There is no colon between resource and action.
    #[error("a permission is written resource:action, for example document:read")]
    Shape,
    /// The resource or the action is not known.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
}

impl FromStr for Permission {
    type Err = ParsePermissionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (resource, action) = text.split_once(':').ok_or(ParsePermissionError::Shape)?;
        Ok(Self::new(resource.parse()?, action.parse()?))
    }
}

impl Serialize for Permission {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What one member may do beyond the role, or may not do despite it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CustomPermissions {
    /// Added to the role's permissions.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>, example = json!(["document:delete"])))]
    pub grant: BTreeSet<Permission>,
    /// Taken away, whatever grants them.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub deny: BTreeSet<Permission>,
}

/// Where an organisation deviates from the default matrix for one role: each resource named is replaced as a whole.
pub type RoleOverrides = BTreeMap<Resource, BTreeSet<Action>>;

/// The whole set of what somebody may do. Anything absent is forbidden.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The default row of the matrix for a role.
    pub fn of_role(role: Role) -> Self {
        Self(
            Resource::ALL
                .iter()
                .flat_map(|&resource| {
                    default_actions(role, resource)
                        .iter()
                        .map(move |&a| Permission::new(resource, a))
                })
                .collect(),
        )
    }

    /// A role's permissions with an organisation's deviations in place.
    #[must_use]
    pub fn overridden(mut self, overrides: &RoleOverrides) -> Self {
        self.0
            .retain(|permission| !overrides.contains_key(&permission.resource));
        self.0.extend(overrides.iter().flat_map(|(&resource, actions)| {
            actions
                .iter()
                .map(move |&action| Permission::new(resource, action))
        }));
        self
    }

    /// A role's permissions with one member's grants and denials applied.
    #[must_use]
    pub fn with(mut self, custom: &CustomPermissions) -> Self {
        self.0.extend(&custom.grant);
        self.0.retain(|permission| !custom.deny.contains(permission));
        self
    }

    /// What is in both: a key's scopes, as far as its maker still has them.
    #[must_use]
    pub fn limited_to(mut self, other: &Self) -> Self {
        self.0.retain(|permission| other.0.contains(permission));
        self
    }

    /// Seeing only: what is left while an organisation's subscription rests.
    #[must_use]
    pub fn reading_only(mut self) -> Self {
        self.0.retain(|permission| permission.action == Action::Read);
        self
    }

    /// Whether `action` may be done to `resource`.
    pub fn allows(&self, resource: Resource, action: Action) -> bool {
        self.0.contains(&Permission::new(resource, action))
    }

    /// Whether everything in `other` is also in `self`: nobody may hand out what they do not have.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The permissions, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

impl Role {
    /// Whether somebody of this role may give, change or take away `other`: owners may do so with every role,
    /// administrators with all but owner, managers with the roles below their own.
    pub fn may_assign(self, other: Role) -> bool {
        match self {
            Role::Owner => true,
            Role::Administrator => other != Role::Owner,
            Role::Manager => other > Role::Manager,
            _ => false,
        }
    }
}

const ALL: &[Action] = &[
    Action::Create,
    Action::Read,
    Action::Update,
    Action::Delete,
    Action::Approve,
];
const WRITE: &[Action] = &[Action::Create, Action::Read, Action::Update, Action::Delete];
const READ: &[Action] = &[Action::Read];
const ASK: &[Action] = &[Action::Create, Action::Read];
const CONTRIBUTE: &[Action] = &[Action::Create, Action::Read];
const NONE: &[Action] = &[];

fn default_actions(role: Role, resource: Resource) -> &'static [Action] {
    use Resource as R;
    match (role, resource) {
        (Role::Owner, _) => ALL,
        (Role::Administrator, R::Organization) => &[Action::Read, Action::Update],
        (Role::Administrator, _) => ALL,
        (Role::Manager, R::Member) => &[
            Action::Create,
            Action::Read,
            Action::Update,
            Action::Delete,
            Action::Approve,
        ],
        (
            Role::Manager,
            R::Invitation | R::KnowledgeBase | R::Document | R::Evaluation | R::Conversation | R::Contact,
        )
        | (Role::BotTrainer, R::KnowledgeBase | R::Document | R::Evaluation)
        | (Role::Agent, R::Conversation | R::Contact)
        | (Role::Sales, R::Contact) => WRITE,
        (Role::Manager | Role::BotTrainer, R::Analytics | R::Transcript | R::Job | R::ChannelConnection)
        | (Role::BotTrainer | Role::Sales, R::Conversation) => READ,
        (Role::Manager, R::Organization | R::Audit | R::Provider)
        | (Role::BotTrainer, R::Organization | R::Member | R::Provider) => READ,
        (Role::Manager, R::ApiKey) | (Role::BotTrainer, R::Invitation | R::ApiKey | R::Audit) => NONE,
        (_, R::Session) => WRITE,
        (Role::Viewer, R::Question) => READ,
        (_, R::Question) => ASK,
        (Role::Sales | Role::Agent | Role::Member, R::Document) => CONTRIBUTE,
        (Role::Viewer, R::Document) | (_, R::Organization | R::KnowledgeBase) => READ,
        (Role::Sales | Role::Agent, R::Member) => READ,
        (_, _) => NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_permission() -> impl Strategy<Value = Permission> {
        (
            prop::sample::select(Resource::ALL),
            prop::sample::select(Action::ALL),
        )
            .prop_map(|(r, a)| Permission::new(r, a))
    }

    proptest! {
        #[test]
        fn a_permission_survives_text(permission in any_permission()) {
            prop_assert_eq!(permission.to_string().parse::<Permission>().unwrap(), permission);
        }

        #[test]
        fn a_denial_wins_over_role_and_grant(permission in any_permission(), role in prop::sample::select(Role::ALL)) {
            let custom = CustomPermissions { grant: [permission].into(), deny: [permission].into() };
            prop_assert!(!Permissions::of_role(role).with(&custom).allows(permission.resource, permission.action));
        }

        #[test]
        fn a_grant_adds_to_any_role(permission in any_permission(), role in prop::sample::select(Role::ALL)) {
            let custom = CustomPermissions { grant: [permission].into(), deny: [].into() };
            prop_assert!(Permissions::of_role(role).with(&custom).allows(permission.resource, permission.action));
        }
    }

    #[test]
    fn an_override_replaces_only_its_own_resource() {
        let overrides = RoleOverrides::from([(Resource::Document, [Action::Read].into())]);
        let member = Permissions::of_role(Role::Member).overridden(&overrides);
        assert!(member.allows(Resource::Document, Action::Read));
        assert!(!member.allows(Resource::Document, Action::Create));
        assert!(member.allows(Resource::Question, Action::Create));
    }

    #[test]
    fn the_owner_covers_every_role_and_no_role_covers_the_owner() {
        let owner = Permissions::of_role(Role::Owner);
        for &role in Role::ALL.iter().filter(|&&role| role != Role::Owner) {
            assert!(owner.covers(&Permissions::of_role(role)));
            assert!(!Permissions::of_role(role).covers(&owner));
        }
    }

    #[test]
    fn only_owners_and_administrators_reach_keys_and_providers() {
        for &role in &Role::ALL[2..] {
            let permissions = Permissions::of_role(role);
            assert!(!permissions.allows(Resource::ApiKey, Action::Create), "{role}");
            assert!(!permissions.allows(Resource::Provider, Action::Update), "{role}");
        }
    }

    #[test]
    fn nobody_below_manager_assigns_roles_and_managers_only_lower_ones() {
        assert!(Role::Manager.may_assign(Role::Agent));
        assert!(!Role::Manager.may_assign(Role::Manager));
        assert!(!Role::Administrator.may_assign(Role::Owner));
        for &role in &Role::ALL[3..] {
            assert!(Role::ALL.iter().all(|&other| !role.may_assign(other)));
        }
    }
}
