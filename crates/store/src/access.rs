//! Proofs of who acts where. None of these types can be made outside this crate.

use amebo_core::document::Reader;
use amebo_core::id::{ApiKeyId, OrganizationId, UserId};
use amebo_core::permission::{Action, Permission, Permissions, Resource, Role};

/// Who does something, as the audit log records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A signed-in person.
    User(UserId),
    /// A program with an API key.
    ApiKey(ApiKeyId),
    /// Amebo itself: a job, the terminal, maintenance.
    System,
}

/// Proof that somebody may act in one organisation, and what they may do there. Valid for one request: it is read from
/// the database each time, so that suspension and changes of role act at once.
#[derive(Debug, Clone)]
pub struct Access {
    organization: OrganizationId,
    actor: Actor,
    reader: Reader,
    role: Option<Role>,
    permissions: Permissions,
}

/// The permission is missing.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this needs the permission {0}")]
pub struct Forbidden(pub Permission);

/// Proof of one permission in one organisation: what opens an [`crate::OrgTx`].
#[derive(Debug, Clone, Copy)]
pub struct Permit {
    pub(crate) organization: OrganizationId,
    pub(crate) actor: Actor,
}

impl Access {
    pub(crate) fn of_member(
        organization: OrganizationId,
        user: UserId,
        role: Role,
        permissions: Permissions,
    ) -> Self {
        Self {
            organization,
            actor: Actor::User(user),
            reader: Reader::Member { user, role },
            role: Some(role),
            permissions,
        }
    }

    #[expect(dead_code, reason = "API keys arrive with the identity tables")]
    pub(crate) fn of_api_key(organization: OrganizationId, key: ApiKeyId, scopes: Permissions) -> Self {
        Self {
            organization,
            actor: Actor::ApiKey(key),
            reader: Reader::Machine,
            role: None,
            permissions: scopes,
        }
    }

    /// The organisation.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// Through whose eyes documents are seen.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The person's role; `None` for a program.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The person; `None` for a program.
    pub fn user(&self) -> Option<UserId> {
        match self.actor {
            Actor::User(user) => Some(user),
            Actor::ApiKey(_) | Actor::System => None,
        }
    }

    /// Everything that may be done.
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// A permit to do `action` to `resource`, if that is allowed.
    pub fn permit(&self, resource: Resource, action: Action) -> Result<Permit, Forbidden> {
        if self.permissions.allows(resource, action) {
            Ok(Permit {
                organization: self.organization,
                actor: self.actor,
            })
        } else {
            Err(Forbidden(Permission::new(resource, action)))
        }
    }
}

impl Permit {
    /// A permit for Amebo's own work in one organisation; only for what this crate has checked, such as a claimed job.
    pub(crate) fn of_system(organization: OrganizationId) -> Self {
        Self {
            organization,
            actor: Actor::System,
        }
    }

    /// The organisation.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }
}
