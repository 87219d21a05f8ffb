//! The people in an organisation: what they are, what they may do, and their leaving.
//!
//! Nobody gives what they do not have, nobody changes a place above their reach, and the last owner stays.

use amebo_core::id::MemberId;
use amebo_core::organization::MemberStatus;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{Action, CustomPermissions, Permissions, Resource, Role, RoleOverrides};
use amebo_store::audit::NewEntry;
use amebo_store::{Access, MemberState, OrgTx, Permit};
use serde_json::json;

pub use amebo_store::Member;

use crate::{App, Error, Result};

/// What is to change about a member; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    /// What they are to be.
    pub role: Option<Role>,
    /// Whether they may act.
    pub status: Option<MemberStatus>,
    /// What they may do beyond the role, or may not do despite it.
    pub custom_permissions: Option<CustomPermissions>,
}

/// What a role may do in an organisation.
#[derive(Debug, Clone)]
pub struct RolePermissionsView {
    /// The role.
    pub role: Role,
    /// Everything it may do, deviations included.
    pub permissions: Permissions,
    /// Where the organisation deviates from the default.
    pub overrides: RoleOverrides,
}

impl App {
    /// The members in the order they joined.
    pub async fn list_members(&self, access: &Access, page: &PageRequest<MemberId>) -> Result<Page<Member>> {
        let permit = access.permit(Resource::Member, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let members = tx.members().list(page).await?;
        tx.commit().await?;
        Ok(members)
    }

    /// One member.
    pub async fn fetch_member(&self, access: &Access, id: MemberId) -> Result<Member> {
        let permit = access.permit(Resource::Member, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let member = tx.members().get(id).await?;
        tx.commit().await?;
        member.ok_or(Error::NotFound("member"))
    }

    /// Changes what a member is or may do. It holds from their next request on, with whatever credential.
    pub async fn update_member(&self, access: &Access, id: MemberId, change: MemberChange) -> Result<Member> {
        let permit = access.permit(Resource::Member, Action::Update)?;
        let mut tx = self.store.begin(&permit).await?;
        tx.members().lock().await?;
        let before = tx.members().get(id).await?.ok_or(Error::NotFound("member"))?;
        let role = change.role.unwrap_or(before.role);
        let status = change.status.unwrap_or(before.status);
        let custom = match change.custom_permissions {
            Some(custom) => custom,
            // What was granted on top of another role is not carried over into ownership.
            None if role == Role::Owner => CustomPermissions::default(),
            None => before.custom_permissions.clone(),
        };
        if role == Role::Owner && custom != CustomPermissions::default() {
            return Err(Error::invalid(
                "/custom_permissions",
                "an owner may do everything; grants and denials are for other roles",
            ));
        }
        within_reach(access, before.role)?;
        if role != before.role || custom != before.custom_permissions {
            let permissions = role_permissions(&mut tx, role).await?.with(&custom);
            confer(access, role, &permissions)?;
        }
        if before.role == Role::Owner && (role != Role::Owner || status != MemberStatus::Active) {
            keep_an_owner(&mut tx, id).await?;
        }
        let state = MemberState {
            role,
            status,
            custom_permissions: &custom,
        };
        tx.members().update(id, state).await?;
        let entry = NewEntry::new("member.update", "member").of(id).details(json!({
            "before": { "role": before.role, "status": before.status, "custom_permissions": before.custom_permissions },
            "after": { "role": role, "status": status, "custom_permissions": custom },
        }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        Ok(Member {
            role,
            status,
            custom_permissions: custom,
            ..before
        })
    }

    /// Ends a member's place, with the API keys and invitations they made.
    pub async fn remove_member(&self, access: &Access, id: MemberId) -> Result<()> {
        let permit = access.permit(Resource::Member, Action::Delete)?;
        self.end_place(&permit, id, Some(access), "member.remove").await
    }

    /// Gives up one's own place.
    pub async fn leave_organization(&self, access: &Access) -> Result<()> {
        let permit = access.permit_to_leave().ok_or(Error::NotAllowed(
            "only a person can leave an organization; revoke the API key instead",
        ))?;
        self.end_place(&permit, access.member(), None, "member.leave")
            .await
    }

    async fn end_place(
        &self,
        permit: &Permit,
        id: MemberId,
        above: Option<&Access>,
        action: &'static str,
    ) -> Result<()> {
        let mut tx = self.store.begin(permit).await?;
        tx.members().lock().await?;
        let member = tx.members().get(id).await?.ok_or(Error::NotFound("member"))?;
        if let Some(access) = above {
            within_reach(access, member.role)?;
        }
        if member.role == Role::Owner {
            keep_an_owner(&mut tx, id).await?;
        }
        tx.members().delete(id).await?;
        let entry = NewEntry::new(action, "member")
            .of(id)
            .details(json!({ "user_id": member.user, "role": member.role }));
        tx.audit().append(entry).await?;
        Ok(tx.commit().await?)
    }

    /// What each role may do here.
    pub async fn list_roles(&self, access: &Access) -> Result<Vec<RolePermissionsView>> {
        let permit = access.permit(Resource::Organization, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let mut overrides = tx.role_permissions().all().await?;
        tx.commit().await?;
        Ok(Role::ALL
            .iter()
            .map(|&role| {
                let overrides = overrides.remove(&role).unwrap_or_default();
                RolePermissionsView {
                    role,
                    permissions: Permissions::of_role(role).overridden(&overrides),
                    overrides,
                }
            })
            .collect())
    }

    /// Replaces an organisation's deviations from what a role may do.
    pub async fn update_role(
        &self,
        access: &Access,
        role: Role,
        overrides: RoleOverrides,
    ) -> Result<RolePermissionsView> {
        let permit = access.permit(Resource::Organization, Action::Update)?;
        if role == Role::Owner {
            return Err(Error::NotAllowed(
                "owners may do everything; that cannot be changed",
            ));
        }
        let permissions = Permissions::of_role(role).overridden(&overrides);
        confer(access, role, &permissions)?;
        let mut tx = self.store.begin(&permit).await?;
        tx.role_permissions().set(role, &overrides).await?;
        let entry =
            NewEntry::new("role.update", "role").details(json!({ "role": role, "overrides": overrides }));
        tx.audit().append(entry).await?;
        tx.commit().await?;
        Ok(RolePermissionsView {
            role,
            permissions,
            overrides,
        })
    }
}

/// What a role may do in the transaction's organisation.
pub(crate) async fn role_permissions(tx: &mut OrgTx, role: Role) -> Result<Permissions> {
    let overrides = tx
        .role_permissions()
        .all()
        .await?
        .remove(&role)
        .unwrap_or_default();
    Ok(Permissions::of_role(role).overridden(&overrides))
}

/// Refuses giving what the giver does not have.
pub(crate) fn confer(access: &Access, role: Role, permissions: &Permissions) -> Result<()> {
    if access.may_confer(role, permissions) {
        Ok(())
    } else {
        Err(Error::NotAllowed(
            "you cannot give a role or a permission beyond your own",
        ))
    }
}

fn within_reach(access: &Access, role: Role) -> Result<()> {
    if access.may_change(role) {
        Ok(())
    } else {
        Err(Error::NotAllowed(
            "you cannot change somebody whose role is not below yours",
        ))
    }
}

async fn keep_an_owner(tx: &mut OrgTx, leaving: MemberId) -> Result<()> {
    if tx.members().has_owner_besides(leaving).await? {
        Ok(())
    } else {
        Err(Error::Conflict(
            "this is the last owner; make somebody else an owner first".to_owned(),
        ))
    }
}
