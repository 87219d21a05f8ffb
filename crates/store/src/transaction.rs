//! Transactions: the only way to the tables.

use amebo_core::Environment;
use amebo_core::id::OrganizationId;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::error::Result;
use crate::signal::{SharedSignals, Written};
use crate::{Actor, Organizations, SystemOrganizations, Users};

/// A transaction in one organisation, under row-level security. Dropped without [`OrgTx::commit`] it leaves no trace.
#[derive(Debug)]
pub struct OrgTx {
    transaction: Transaction<'static, Postgres>,
    organization: OrganizationId,
    actor: Actor,
    environment: Environment,
    signals: SharedSignals,
    written: Written,
}

/// What an aggregate of one organisation works with.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) connection: &'a mut PgConnection,
    pub(crate) organization: OrganizationId,
    #[expect(dead_code, reason = "read by the audit log")]
    pub(crate) actor: Actor,
    pub(crate) environment: &'a Environment,
    pub(crate) written: &'a mut Written,
}

impl OrgTx {
    pub(crate) fn new(
        transaction: Transaction<'static, Postgres>,
        organization: OrganizationId,
        actor: Actor,
        environment: Environment,
        signals: SharedSignals,
    ) -> Self {
        Self {
            transaction,
            organization,
            actor,
            environment,
            signals,
            written: Written::default(),
        }
    }

    pub(crate) fn scope(&mut self) -> Scope<'_> {
        Scope {
            connection: &mut self.transaction,
            organization: self.organization,
            actor: self.actor,
            environment: &self.environment,
            written: &mut self.written,
        }
    }

    /// The organisation this transaction works for.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The organisation itself and its members.
    pub fn organizations(&mut self) -> Organizations<'_> {
        Organizations(self.scope())
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

    /// Makes everything done in this transaction durable.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}
