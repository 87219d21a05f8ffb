//! Proofs of who acts where. Access and permits cannot be made outside this crate.

use std::net::IpAddr;

use amebo_core::document::Reader;
use amebo_core::id::{ApiKeyId, MemberId, OrganizationId, RequestId, SlackChannelId, UserId};
use amebo_core::organization::Limits;
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

/// The request with which somebody acts. It goes with every proof that is given for the request, so that whatever the audit log
/// records of it says from where it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestOrigin {
    /// The request.
    pub id: RequestId,
    /// The caller's network address.
    pub address: IpAddr,
}

/// Proof that somebody may act in one organisation, and what they may do there. Valid for one request: it is read from
/// the database each time, so that suspension and changes of role act at once.
#[derive(Debug, Clone)]
pub struct Access {
    actor: Actor,
    request: Option<RequestOrigin>,
    reader: Reader,
    place: Place,
    permissions: Permissions,
    limits: Limits,
    is_terminal: bool,
}

/// The membership that an access rests on: the person's own, or that of whoever made the API key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) organization: OrganizationId,
    pub(crate) member: MemberId,
    pub(crate) user: UserId,
    pub(crate) role: Role,
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
    pub(crate) request: Option<RequestOrigin>,
}

impl Access {
    pub(crate) fn of_member(
        place: Place,
        channels: Vec<SlackChannelId>,
        permissions: Permissions,
        limits: Limits,
    ) -> Self {
        let Place { user, role, .. } = place;
        Self {
            actor: Actor::User(user),
            request: None,
            reader: Reader::Member {
                user,
                role,
                channels: channels.into(),
            },
            place,
            permissions,
            limits,
            is_terminal: false,
        }
    }

    /// The same place, reached with a key that this person made: the scopes, as far as its maker has them.
    pub(crate) fn through_key(self, key: ApiKeyId, scopes: Permissions, is_terminal: bool) -> Self {
        Self {
            actor: Actor::ApiKey(key),
            reader: Reader::Machine,
            permissions: scopes.limited_to(&self.permissions),
            is_terminal,
            ..self
        }
    }

    /// The same proof, given for a request.
    #[must_use]
    pub fn from_request(self, request: RequestOrigin) -> Self {
        Self {
            request: Some(request),
            ..self
        }
    }

    /// The organisation.
    pub fn organization(&self) -> OrganizationId {
        self.place.organization
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
        self.user().map(|_| self.place.role)
    }

    /// The membership that this rests on: the person's own, or that of whoever made the API key.
    pub fn member(&self) -> MemberId {
        self.place.member
    }

    /// Whether this caller may give somebody `role` with `permissions`, or take them away: the role must be within reach of their
    /// own, and nobody hands out what they do not have.
    pub fn may_confer(&self, role: Role, permissions: &Permissions) -> bool {
        self.place.role.may_assign(role) && self.permissions.covers(permissions)
    }

    /// Whether this caller may change or end the place of somebody who has `role`.
    pub fn may_change(&self, role: Role) -> bool {
        self.place.role.may_assign(role)
    }

    /// What the organisation's plan allows.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether this is the terminal on the server's own machine.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
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

    /// A permit to give up one's own place, which nobody needs a permission for; `None` for a program.
    pub fn permit_to_leave(&self) -> Option<Permit> {
        self.user().map(|_| self.grant())
    }

    /// A permit to remember the answers to one's own writes, which nobody needs a permission for.
    pub fn permit_to_repeat(&self) -> Permit {
        self.grant()
    }

    /// A permit to do `action` to `resource`, if that is allowed.
    pub fn permit(&self, resource: Resource, action: Action) -> Result<Permit, Forbidden> {
        if self.permissions.allows(resource, action) {
            Ok(self.grant())
        } else {
            Err(Forbidden(Permission::new(resource, action)))
        }
    }

    fn grant(&self) -> Permit {
        Permit {
            organization: self.place.organization,
            actor: self.actor,
            request: self.request,
        }
    }
}

impl Permit {
    /// A permit for Amebo's own work in one organisation; only for what this crate has checked, such as a claimed job.
    pub(crate) fn of_system(organization: OrganizationId) -> Self {
        Self {
            organization,
            actor: Actor::System,
            request: None,
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
