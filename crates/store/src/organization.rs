//! Organisations and who belongs to them.

use amebo_core::id::{Id, MemberId, OrganizationId, UserId};
use amebo_core::organization::{LimitOverrides, Limits, Plan, SubscriptionStatus, slug};
use amebo_core::page::{Page, PageRequest};
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
    /// When its trial ends, if it does.
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// What the plan and its deviations allow.
    pub limits: Limits,
    /// Where these differ from the plan.
    pub limit_overrides: LimitOverrides,
    /// The colour its pages are in, a hue of 0 to 359 degrees; Amebo's own when absent.
    pub accent_hue: Option<u16>,
    /// Which picture its pages carry; `None` when it has none.
    pub logo_version: Option<String>,
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
    Option<DateTime<Utc>>,
    Json<LimitOverrides>,
    Option<i32>,
    Option<String>,
    DateTime<Utc>,
);

type TermsRow = (String, String, Option<DateTime<Utc>>, Json<LimitOverrides>);

macro_rules! select_organization {
    () => {
        "select id, name, slug, subscription_status, subscription_plan, trial_ends_at, limits, \
         (settings ->> 'accent_hue')::int, \
         (select version from logos where logos.organization_id = organizations.id), created_at from organizations"
    };
}

fn organization(
    (id, name, slug, status, plan, trial_ends_at, Json(overrides), accent_hue, logo_version, created_at): OrganizationRow,
) -> Result<Organization> {
    let plan: Plan = parse(&plan)?;
    Ok(Organization {
        id: OrganizationId::from_uuid(id),
        name,
        slug,
        subscription_status: parse(&status)?,
        subscription_plan: plan,
        trial_ends_at,
        limits: plan.limits().with(&overrides),
        limit_overrides: overrides,
        logo_version,
        accent_hue: accent_hue.and_then(|hue| u16::try_from(hue).ok()),
        created_at,
    })
}

/// The current organisation.
#[derive(Debug)]
pub struct Organizations<'a>(pub(crate) Scope<'a>);

impl Organizations<'_> {
    /// The current organisation itself.
    pub async fn current(&mut self) -> Result<Organization> {
        let row: OrganizationRow = sqlx::query_as(concat!(select_organization!(), " where id = $1"))
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

    /// Puts the pages of the current organisation in another colour, a hue of 0 to 359 degrees.
    pub async fn set_accent_hue(&mut self, hue: u16) -> Result<()> {
        sqlx::query("update organizations set settings = settings || jsonb_build_object('accent_hue', $2), updated_at = $3 where id = $1")
            .bind(self.0.organization.uuid())
            .bind(i32::from(hue))
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// What the operator agreed with the current organisation, locked until this transaction ends; `None` when there is no such
    /// organisation.
    pub async fn terms(&mut self) -> Result<Option<OrganizationTerms>> {
        let row: Option<TermsRow> = sqlx::query_as(
            "select subscription_status, subscription_plan, trial_ends_at, limits from organizations where id = $1 for update",
        )
        .bind(self.0.organization.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(status, plan, trial_ends_at, Json(limits))| {
            Ok(OrganizationTerms {
                status: parse(&status)?,
                plan: parse(&plan)?,
                trial_ends_at,
                limits,
            })
        })
        .transpose()
    }

    /// Agrees new terms.
    pub async fn set_terms(&mut self, terms: &OrganizationTerms) -> Result<()> {
        sqlx::query(
            "update organizations set subscription_status = $2, subscription_plan = $3, trial_ends_at = $4, limits = $5,
                updated_at = $6 where id = $1",
        )
        .bind(self.0.organization.uuid())
        .bind(terms.status.as_str())
        .bind(terms.plan.as_str())
        .bind(terms.trial_ends_at)
        .bind(Json(terms.limits))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Deletes the current organisation and everything in it.
    pub async fn delete(&mut self) -> Result<()> {
        sqlx::query("delete from organizations where id = $1")
            .bind(self.0.organization.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}

/// What the operator agrees with an organisation.
#[derive(Debug, Clone, Copy)]
pub struct OrganizationTerms {
    /// Whether its subscription is running.
    pub status: SubscriptionStatus,
    /// What it subscribed to.
    pub plan: Plan,
    /// When its trial ends, if it does.
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// Deviations from the plan's limits.
    pub limits: LimitOverrides,
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

    /// Organisations in the order they came.
    pub async fn list(&mut self, page: &PageRequest<OrganizationId>) -> Result<Page<Organization>> {
        let rows: Vec<OrganizationRow> = sqlx::query_as(concat!(
            select_organization!(),
            " where $1::uuid is null or id > $1 order by id limit $2"
        ))
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let items = rows.into_iter().map(organization).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(items, page.limit, |item: &Organization| item.id))
    }

    /// One organisation.
    pub async fn get(&mut self, id: OrganizationId) -> Result<Option<Organization>> {
        let row: Option<OrganizationRow> = sqlx::query_as(concat!(select_organization!(), " where id = $1"))
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(organization).transpose()
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
