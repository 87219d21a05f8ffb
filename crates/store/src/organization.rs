//! Organisations and who belongs to them.

use amebo_core::id::{Id, MemberId, OrganizationId, UserId};
use amebo_core::organization::{LimitOverrides, Limits, Plan, SubscriptionStatus, slug};
use amebo_core::permission::Role;
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{Result, parse};
use crate::transaction::{Scope, SystemScope};

/// A company.
#[derive(Debug, Clone)]
pub struct Organization {
    /// The organisation.
    pub id: OrganizationId,
    /// As its people write it.
    pub name: String,
    /// As it stands in addresses.
    pub slug: String,
    /// Whether its subscription is running.
    pub subscription_status: SubscriptionStatus,
    /// What it subscribed to.
    pub subscription_plan: Plan,
    /// What the plan and its deviations allow.
    pub limits: Limits,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A company to be added, with its owner.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// As its people write it.
    pub name: String,
    /// Who owns it.
    pub owner: UserId,
    /// What it subscribes to.
    pub plan: Plan,
}

type OrganizationRow = (
    Uuid,
    String,
    String,
    String,
    String,
    Json<LimitOverrides>,
    DateTime<Utc>,
);

fn organization(
    (id, name, slug, status, plan, Json(overrides), created_at): OrganizationRow,
) -> Result<Organization> {
    let plan: Plan = parse(&plan)?;
    Ok(Organization {
        id: OrganizationId::from_uuid(id),
        name,
        slug,
        subscription_status: parse(&status)?,
        subscription_plan: plan,
        limits: plan.limits().with(&overrides),
        created_at,
    })
}

/// The current organisation.
#[derive(Debug)]
pub struct Organizations<'a>(pub(crate) Scope<'a>);

impl Organizations<'_> {
    /// The current organisation itself.
    pub async fn current(&mut self) -> Result<Organization> {
        let row: OrganizationRow = sqlx::query_as(
            "select id, name, slug, subscription_status, subscription_plan, limits, created_at from organizations where id = $1",
        )
        .bind(self.0.organization.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?;
        organization(row)
    }

    /// Renames the current organisation; its address stays.
    pub async fn rename(&mut self, name: &str) -> Result<()> {
        sqlx::query("update organizations set name = $2, updated_at = $3 where id = $1")
            .bind(self.0.organization.uuid())
            .bind(name)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}

/// Organisations as seen from outside them.
#[derive(Debug)]
pub struct SystemOrganizations<'a>(pub(crate) SystemScope<'a>);

impl SystemOrganizations<'_> {
    /// Adds a company with its owner. The address is made from the name, with a random ending when it is taken.
    pub async fn create(&mut self, new: &NewOrganization) -> Result<OrganizationId> {
        let environment = self.0.environment;
        let (id, now) = (environment.id::<OrganizationId>(), environment.now());
        let base = slug(&new.name);
        let taken: bool = sqlx::query_scalar("select exists (select from organizations where slug = $1)")
            .bind(&base)
            .fetch_one(&mut *self.0.connection)
            .await?;
        let slug = if taken {
            format!("{base}-{:08x}", u32::from_be_bytes(environment.bytes()))
        } else {
            base
        };
        sqlx::query(
            "insert into organizations (id, name, slug, subscription_plan, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)",
        )
        .bind(id.uuid())
        .bind(&new.name)
        .bind(slug)
        .bind(new.plan.as_str())
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        self.add_member(id, new.owner, Role::Owner).await?;
        Ok(id)
    }

    /// Gives a person a place in an organisation.
    pub async fn add_member(
        &mut self,
        organization: OrganizationId,
        user: UserId,
        role: Role,
    ) -> Result<MemberId> {
        let (id, now) = (self.0.environment.id::<MemberId>(), self.0.environment.now());
        sqlx::query(
            "insert into organization_members (id, organization_id, user_id, role, status, created_at, updated_at)
             values ($1, $2, $3, $4, 'active', $5, $5)",
        )
        .bind(id.uuid())
        .bind(organization.uuid())
        .bind(user.uuid())
        .bind(role.as_str())
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }
}
