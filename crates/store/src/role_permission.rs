//! Where an organisation deviates from what roles may do by default.

use std::collections::BTreeMap;

use amebo_core::id::{Id, RolePermissionId};
use amebo_core::permission::{Action, Role, RoleOverrides};

use crate::error::{Result, parse};
use crate::transaction::Scope;

/// The current organisation's deviations from the default matrix.
#[derive(Debug)]
pub struct RolePermissions<'a>(pub(crate) Scope<'a>);

impl RolePermissions<'_> {
    /// Every deviation, by role.
    pub async fn all(&mut self) -> Result<BTreeMap<Role, RoleOverrides>> {
        let rows: Vec<(String, String, Vec<String>)> =
            sqlx::query_as("select role, resource, actions from role_permissions where organization_id = $1")
                .bind(self.0.organization.uuid())
                .fetch_all(&mut *self.0.connection)
                .await?;
        let mut all = BTreeMap::<Role, RoleOverrides>::new();
        for (role, resource, actions) in rows {
            let actions = actions
                .iter()
                .map(|action| parse(action))
                .collect::<Result<_>>()?;
            all.entry(parse(&role)?)
                .or_default()
                .insert(parse(&resource)?, actions);
        }
        Ok(all)
    }

    /// Replaces the deviations of one role.
    pub async fn set(&mut self, role: Role, overrides: &RoleOverrides) -> Result<()> {
        sqlx::query("delete from role_permissions where organization_id = $1 and role = $2")
            .bind(self.0.organization.uuid())
            .bind(role.as_str())
            .execute(&mut *self.0.connection)
            .await?;
        for (resource, actions) in overrides {
            let actions: Vec<&str> = actions.iter().copied().map(Action::as_str).collect();
            sqlx::query(
                "insert into role_permissions (id, organization_id, role, resource, actions, created_at, updated_at)
                 values ($1, $2, $3, $4, $5, $6, $6)",
            )
            .bind(self.0.environment.id::<RolePermissionId>().uuid())
            .bind(self.0.organization.uuid())
            .bind(role.as_str())
            .bind(resource.as_str())
            .bind(actions)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        }
        Ok(())
    }
}
