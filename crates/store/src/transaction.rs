//! Transactions: the only way to the tables.

use amebo_core::Environment;
use amebo_core::id::OrganizationId;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::account_link::AccountLinks;
use crate::api_key::ApiKeys;
use crate::error::Result;
use crate::invitation::{Invitations, SystemInvitations};
use crate::member::Members;
use crate::refresh_token::Devices;
use crate::role_permission::RolePermissions;
use crate::signal::{SharedSignals, Written};
use crate::throttle::Throttles;
use crate::usage::Usage;
use crate::{Actor, Organizations, Permit, RequestOrigin, SystemOrganizations, Users};

/// A transaction in one organisation, under row-level security. Dropped without [`OrgTx::commit`] it leaves no trace.
#[derive(Debug)]
pub struct OrgTx {
    transaction: Transaction<'static, Postgres>,
    permit: Permit,
    environment: Environment,
    signals: SharedSignals,
    written: Written,
}

/// What an aggregate of one organisation works with.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) connection: &'a mut PgConnection,
    pub(crate) organization: OrganizationId,
    pub(crate) actor: Actor,
    pub(crate) request: Option<RequestOrigin>,
    pub(crate) environment: &'a Environment,
    pub(crate) written: &'a mut Written,
}

impl Scope<'_> {
    /// The same scope for another aggregate, while this one waits.
    pub(crate) fn again(&mut self) -> Scope<'_> {
        Scope {
            connection: &mut *self.connection,
            organization: self.organization,
            actor: self.actor,
            request: self.request,
            environment: self.environment,
            written: &mut *self.written,
        }
    }
}

impl OrgTx {
    pub(crate) fn new(
        transaction: Transaction<'static, Postgres>,
        permit: Permit,
        environment: Environment,
        signals: SharedSignals,
    ) -> Self {
        Self {
            transaction,
            permit,
            environment,
            signals,
            written: Written::default(),
        }
    }

    pub(crate) fn scope(&mut self) -> Scope<'_> {
        Scope {
            connection: &mut self.transaction,
            organization: self.permit.organization,
            actor: self.permit.actor,
            request: self.permit.request,
            environment: &self.environment,
            written: &mut self.written,
        }
    }

    /// The organisation this transaction works for.
    pub fn organization(&self) -> OrganizationId {
        self.permit.organization
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.permit.actor
    }

    /// The organisation itself.
    pub fn organizations(&mut self) -> Organizations<'_> {
        Organizations(self.scope())
    }

    /// The people in the organisation.
    pub fn members(&mut self) -> Members<'_> {
        Members(self.scope())
    }

    /// Open invitations.
    pub fn invitations(&mut self) -> Invitations<'_> {
        Invitations(self.scope())
    }

    /// Machine access.
    pub fn api_keys(&mut self) -> ApiKeys<'_> {
        ApiKeys(self.scope())
    }

    /// Deviations from what roles may do by default.
    pub fn role_permissions(&mut self) -> RolePermissions<'_> {
        RolePermissions(self.scope())
    }

    /// How much of the plan is used.
    pub fn usage(&mut self) -> Usage<'_> {
        Usage(self.scope())
    }

    /// Makes everything done in this transaction durable.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await?;
        self.signals.raise(self.written);
        Ok(())
    }
}

/// A transaction outside any organisation, as the role `amebo_system`: sign-in, routing, claiming jobs, the operator's view.
#[derive(Debug)]
pub struct SystemTx {
    transaction: Transaction<'static, Postgres>,
    environment: Environment,
}

/// What an aggregate outside any organisation works with.
#[derive(Debug)]
pub(crate) struct SystemScope<'a> {
    pub(crate) connection: &'a mut PgConnection,
    pub(crate) environment: &'a Environment,
}

impl SystemTx {
    pub(crate) fn new(transaction: Transaction<'static, Postgres>, environment: Environment) -> Self {
        Self {
            transaction,
            environment,
        }
    }

    pub(crate) fn scope(&mut self) -> SystemScope<'_> {
        SystemScope {
            connection: &mut self.transaction,
            environment: &self.environment,
        }
    }

    /// Organisations, as the platform operator sees them.
    pub fn organizations(&mut self) -> SystemOrganizations<'_> {
        SystemOrganizations(self.scope())
    }

    /// The people who can sign in.
    pub fn users(&mut self) -> Users<'_> {
        Users(self.scope())
    }

    /// Signed-in devices.
    pub fn devices(&mut self) -> Devices<'_> {
        Devices(self.scope())
    }

    /// Links that work once.
    pub fn account_links(&mut self) -> AccountLinks<'_> {
        AccountLinks(self.scope())
    }

    /// Counted attempts to prove a password.
    pub fn throttles(&mut self) -> Throttles<'_> {
        Throttles(self.scope())
    }

    /// Invitations, as those who hold a token see them.
    pub fn invitations(&mut self) -> SystemInvitations<'_> {
        SystemInvitations(self.scope())
    }

    /// Makes everything done in this transaction durable.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}
