//! Reading and proving an organisation's audit log.

use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, Resource};
use amebo_store::Access;
pub use amebo_store::audit::{AuditEntry, Filter, Reason, Verified};

use crate::{App, Result};

impl App {
    /// Entries that match, newest first.
    pub async fn list_audit_entries(
        &self,
        access: &Access,
        filter: &Filter,
        page: &PageRequest<i64>,
    ) -> Result<Page<AuditEntry>> {
        let permit = access.permit(Resource::Audit, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let entries = tx.audit().list(filter, page).await?;
        tx.commit().await?;
        Ok(entries)
    }

    /// Walks the whole chain and proves it, or names the first entry that breaks it.
    pub async fn verify_audit(&self, access: &Access) -> Result<Verified> {
        let permit = access.permit(Resource::Audit, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let verified = tx.audit().verify().await?;
        tx.commit().await?;
        Ok(verified)
    }
}
