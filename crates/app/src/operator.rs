//! The platform operator: organisations, their plans and suspension, accounts. Never what is inside an organisation: for that the
//! operator joins it, which its audit log shows.

mod watch;

use amebo_core::id::{MemberId, OrganizationId, UserId};
use amebo_core::organization::{LimitOverrides, Plan, SubscriptionStatus};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::Role;
use amebo_store::audit::NewEntry;
use amebo_store::{
    LinkPurpose, NewOrganization, NewUser, Organization, OrganizationTerms, Permit, Person, User,
};
use chrono::{DateTime, Utc};
use serde_json::json;
use url::Url;

pub use self::watch::{DatabaseHealth, Health, ModelHealth, QueueHealth, QueuedJob};

use crate::identity::Fields;
use crate::{App, Error, Result};

/// Proof that the caller operates the platform.
#[derive(Debug, Clone, Copy)]
pub struct Operator(Person);

impl Operator {
    /// The operator behind a signed-in person, if they are one.
    pub fn of(person: Person) -> Result<Self> {
        if person.is_superadmin {
            Ok(Self(person))
        } else {
            Err(Error::NotAllowed("this is for the operator of the platform"))
        }
    }

    fn permit(self, organization: OrganizationId) -> Result<Permit> {
        self.0
            .permit_of_operator(organization)
            .ok_or(Error::NotFound("organization"))
    }
}

/// What is to change about an organisation's terms; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct TermsChange {
    /// Whether its subscription is running.
    pub status: Option<SubscriptionStatus>,
    /// What it subscribes to.
    pub plan: Option<Plan>,
    /// When its trial ends; matters only while the status is trial.
    pub trial_ends_at: Option<DateTime<Utc>>,
    /// Deviations from the plan's limits.
    pub limits: Option<LimitOverrides>,
}

/// An organisation made by the operator.
#[derive(Debug)]
pub struct Provisioned {
    /// The organisation.
    pub organization: OrganizationId,
    /// Its owner.
    pub owner: UserId,
    /// Signs the owner in, once, within a day; absent when they had an account.
    pub link: Option<Url>,
}

impl App {
    /// Organisations in the order they came.
    pub async fn list_organizations(
        &self,
        _: Operator,
        page: &PageRequest<OrganizationId>,
    ) -> Result<Page<Organization>> {
        let mut tx = self.store.begin_system().await?;
        let organizations = tx.organizations().list(page).await?;
        tx.commit().await?;
        Ok(organizations)
    }

    /// Makes an organisation for somebody, with their account when they have none.
    pub async fn provision_organization(
        &self,
        _: Operator,
        name: &str,
        owner_email: &str,
        owner_name: &str,
        plan: Plan,
    ) -> Result<Provisioned> {
        let mut fields = Fields::default();
        let name = fields.name("/name", name, 200);
        let email = fields.email("/owner_email", owner_email);
        let owner_name = fields.name("/owner_name", owner_name, 200);
        fields.finish()?;
        let mut tx = self.store.begin_system().await?;
        let (owner, token) = if let Some(user) = tx.users().by_email(&email).await? {
            (user.id, None)
        } else {
            let new = NewUser {
                email,
                name: owner_name,
                password_hash: None,
                is_superadmin: false,
            };
            let user = tx.users().insert(&new).await?;
            let token = tx.account_links().create(user, LinkPurpose::SignIn).await?;
            (user, Some(token))
        };
        let new = NewOrganization { name, owner, plan };
        let organization = tx.organizations().create(&new).await?;
        tx.commit().await?;
        Ok(Provisioned {
            organization,
            owner,
            link: token.map(|token| self.link("/sign-in", &token)),
        })
    }

    /// Changes an organisation's plan, limits or standing. A suspension acts at once on every credential.
    pub async fn update_terms(
        &self,
        operator: Operator,
        organization: OrganizationId,
        change: TermsChange,
    ) -> Result<Organization> {
        let mut tx = self.store.begin(&operator.permit(organization)?).await?;
        let before = tx
            .organizations()
            .terms()
            .await?
            .ok_or(Error::NotFound("organization"))?;
        let after = OrganizationTerms {
            status: change.status.unwrap_or(before.status),
            plan: change.plan.unwrap_or(before.plan),
            trial_ends_at: change.trial_ends_at.or(before.trial_ends_at),
            limits: change.limits.unwrap_or(before.limits),
        };
        tx.organizations().set_terms(&after).await?;
        let entry = NewEntry::new("organization.terms", "organization")
            .of(organization)
            .details(json!({ "before": terms(&before), "after": terms(&after) }));
        tx.audit().append(entry).await?;
        let organization = tx.organizations().current().await?;
        tx.commit().await?;
        Ok(organization)
    }

    /// Joins an organisation as an administrator, which its audit log shows.
    pub async fn join_organization(
        &self,
        operator: Operator,
        organization: OrganizationId,
    ) -> Result<MemberId> {
        let mut tx = self.store.begin(&operator.permit(organization)?).await?;
        tx.organizations()
            .terms()
            .await?
            .ok_or(Error::NotFound("organization"))?;
        let member = tx
            .members()
            .insert(operator.0.user, Role::Administrator)
            .await
            .map_err(|error| {
                if error.is_conflict_on("organization_members_organization_id_user_id_key") {
                    Error::Conflict("you are a member already".to_owned())
                } else {
                    error.into()
                }
            })?;
        let entry = NewEntry::new("operator.join", "member")
            .of(member)
            .details(json!({ "role": Role::Administrator }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// Accounts in the order they came.
    pub async fn list_users(&self, _: Operator, page: &PageRequest<UserId>) -> Result<Page<User>> {
        let mut tx = self.store.begin_system().await?;
        let users = tx.users().list(page).await?;
        tx.commit().await?;
        Ok(users)
    }

    /// Lets a person in, or shuts them out at once with every credential.
    pub async fn set_user_active(&self, operator: Operator, user: UserId, active: bool) -> Result<()> {
        if user == operator.0.user && !active {
            return Err(Error::NotAllowed(
                "you cannot shut yourself out; ask another operator",
            ));
        }
        let mut tx = self.store.begin_system().await?;
        if !tx.users().set_active(user, active).await? {
            return Err(Error::NotFound("user"));
        }
        if !active {
            tx.devices().revoke_all(user, None).await?;
            tx.account_links().revoke_all(user).await?;
        }
        tx.commit().await?;
        tracing::info!(operator = %operator.0.user, %user, active, "account changed");
        Ok(())
    }

    /// A link with which a person chooses a new password, to be handed over.
    pub async fn create_password_link(&self, operator: Operator, user: UserId) -> Result<Url> {
        let link = self.password_link_for(user).await?;
        tracing::info!(operator = %operator.0.user, %user, "password link made");
        Ok(link)
    }
}

fn terms(terms: &OrganizationTerms) -> serde_json::Value {
    json!({
        "status": terms.status,
        "plan": terms.plan,
        "trial_ends_at": terms.trial_ends_at,
        "limits": terms.limits,
    })
}
