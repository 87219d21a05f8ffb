//! The organisation itself.

use amebo_core::id::OrganizationId;
use amebo_core::organization::{Limits, Plan};
use amebo_core::permission::{Action, Resource};
use amebo_store::audit::NewEntry;
use amebo_store::{Access, Metric, NewOrganization, Person};
use serde_json::json;

use crate::identity::Fields;
use crate::{App, Error, Result};

pub use amebo_store::Organization;

/// How much of its plan an organisation has used.
#[derive(Debug, Clone, Copy)]
pub struct PlanUsage {
    /// What the plan allows.
    pub limits: Limits,
    /// People with access.
    pub members: u64,
    /// Documents kept.
    pub documents: u64,
    /// Bytes of original files kept.
    pub storage_bytes: u64,
    /// Questions answered this month.
    pub ai_answers: u64,
}

/// What to change of an organisation; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct OrganizationChange {
    /// How it is called.
    pub name: Option<String>,
    /// The colour its pages are in, a hue of 0 to 359 degrees.
    pub accent_hue: Option<u16>,
}

impl App {
    /// Starts another organisation, owned by a signed-in person.
    pub async fn create_organization(&self, person: &Person, name: &str) -> Result<OrganizationId> {
        if !self.identity.sign_up && !person.is_superadmin {
            return Err(Error::NotAllowed(
                "this server is not open for new organizations; ask its operator",
            ));
        }
        let mut fields = Fields::default();
        let name = fields.name("/name", name, 200);
        fields.finish()?;
        let mut tx = self.store.begin_system().await?;
        let new = NewOrganization {
            name,
            owner: person.user,
            plan: Plan::Free,
        };
        let id = tx.organizations().create(&new).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The organisation.
    pub async fn fetch_organization(&self, access: &Access) -> Result<Organization> {
        let permit = access.permit(Resource::Organization, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let organization = tx.organizations().current().await?;
        tx.commit().await?;
        Ok(organization)
    }

    /// Renames the organisation, whose address stays, or puts its pages in another colour.
    pub async fn update_organization(
        &self,
        access: &Access,
        change: OrganizationChange,
    ) -> Result<Organization> {
        let permit = access.permit(Resource::Organization, Action::Update)?;
        let mut fields = Fields::default();
        let name = change.name.map(|name| fields.name("/name", &name, 200));
        fields.finish()?;
        if change.accent_hue.is_some_and(|hue| hue > 359) {
            return Err(Error::invalid(
                "/accent_hue",
                "a hue is between 0 and 359 degrees",
            ));
        }
        let mut tx = self.store.begin(&permit).await?;
        let before = tx.organizations().current().await?;
        if let Some(name) = &name {
            tx.organizations().rename(name).await?;
            let entry = NewEntry::new("organization.rename", "organization")
                .of(before.id)
                .details(json!({ "before": before.name, "after": name }));
            tx.audit().append(entry).await?;
        }
        if let Some(hue) = change.accent_hue {
            tx.organizations().set_accent_hue(hue).await?;
            let entry = NewEntry::new("organization.recolor", "organization")
                .of(before.id)
                .details(json!({ "before": before.accent_hue, "after": hue }));
            tx.audit().append(entry).await?;
        }
        tx.commit().await?;
        Ok(Organization {
            name: name.unwrap_or(before.name),
            accent_hue: change.accent_hue.or(before.accent_hue),
            ..before
        })
    }

    /// Deletes the organisation and everything in it, for good.
    pub async fn delete_organization(&self, access: &Access) -> Result<()> {
        let permit = access.permit(Resource::Organization, Action::Delete)?;
        if access.user().is_none() {
            return Err(Error::NotAllowed(
                "only a signed-in person can delete an organization",
            ));
        }
        let mut tx = self.store.begin(&permit).await?;
        let name = tx.organizations().current().await?.name;
        let entry = NewEntry::new("organization.delete", "organization")
            .of(access.organization())
            .details(json!({ "name": name }));
        // The log outlives the organisation.
        tx.audit().append(entry).await?;
        tx.organizations().delete().await?;
        tx.commit().await?;
        tracing::info!(organization = %access.organization(), actor = ?access.actor(), "organization deleted");
        Ok(())
    }

    /// How much of its plan the organisation has used.
    pub async fn fetch_usage(&self, access: &Access) -> Result<PlanUsage> {
        let permit = access.permit(Resource::Organization, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let usage = PlanUsage {
            limits: *access.limits(),
            members: tx.members().count().await?,
            documents: tx.usage().current(Metric::Documents).await?,
            storage_bytes: tx.usage().current(Metric::StorageBytes).await?,
            ai_answers: tx.usage().current(Metric::AiAnswers).await?,
        };
        tx.commit().await?;
        Ok(usage)
    }
}
