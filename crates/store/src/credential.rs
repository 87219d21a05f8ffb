//! The one place where a credential becomes a proof. Each look-up is a single statement that reads the person, the device, the
//! place, the organisation and the role's deviations together, at every request, so that whatever ends any of them ends the
//! credential at once.

use amebo_core::id::{ApiKeyId, Id, MemberId, OrganizationId, SlackChannelId, TokenFamilyId, UserId};
use amebo_core::organization::{LimitOverrides, Plan, SubscriptionStatus};
use amebo_core::permission::{CustomPermissions, Permission, Permissions, RoleOverrides};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;

use crate::Store;
use crate::access::{Access, Actor, Permit, Place, RequestOrigin};
use crate::error::{Result, parse};
use crate::secret_token;

/// A signed-in person, read anew for this request.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The person.
    pub user: UserId,
    /// The device they are signed in on.
    pub device: TokenFamilyId,
    /// Whether they are a platform operator.
    pub is_superadmin: bool,
    request: Option<RequestOrigin>,
}

impl Person {
    /// The same person, calling with a request.
    #[must_use]
    pub fn from_request(self, request: RequestOrigin) -> Self {
        Self {
            request: Some(request),
            ..self
        }
    }

    /// The request they call with.
    pub fn request(&self) -> Option<RequestOrigin> {
        self.request
    }

    /// What a platform operator enters an organisation with, to join it or to change its terms; both are audited there. `None` for
    /// everybody else.
    pub fn permit_of_operator(&self, organization: OrganizationId) -> Option<Permit> {
        self.is_superadmin.then_some(Permit {
            organization,
            actor: Actor::User(self.user),
            request: self.request,
        })
    }
}

/// What a membership is read as; the columns of `place!()`.
#[derive(FromRow)]
struct PlaceRow {
    organization_id: Uuid,
    member_id: Uuid,
    user_id: Uuid,
    role: String,
    custom_permissions: Json<CustomPermissions>,
    overrides: Option<Json<RoleOverrides>>,
    subscription_status: String,
    trial_ends_at: Option<DateTime<Utc>>,
    subscription_plan: String,
    limits: Json<LimitOverrides>,
    slack_channels: Vec<Uuid>,
}

#[derive(FromRow)]
struct KeyRow {
    id: Uuid,
    scopes: Json<Vec<Permission>>,
    last_used_at: Option<DateTime<Utc>>,
    is_of_terminal: bool,
    #[sqlx(flatten)]
    place: PlaceRow,
}

macro_rules! place {
    () => {
        "m.organization_id, m.id as member_id, m.user_id, m.role, m.custom_permissions,
         (select jsonb_object_agg(r.resource, to_jsonb(r.actions)) from role_permissions r
          where r.organization_id = m.organization_id and r.role = m.role) as overrides,
         o.subscription_status, o.trial_ends_at, o.subscription_plan, o.limits,
         array(select c.channel_id from slack_users s
               join slack_channel_members c on c.organization_id = s.organization_id and c.slack_user_id = s.id
               where s.organization_id = m.organization_id and not s.is_deleted
                 and (s.user_id = m.user_id or s.user_id is null and s.email = u.email)) as slack_channels"
    };
}

macro_rules! living_place {
    () => {
        "join users u on u.id = m.user_id and u.is_active
         join organizations o on o.id = m.organization_id and o.subscription_status <> 'cancelled'"
    };
}

impl Store {
    /// The person signed in on a device; `None` when the device was signed out or the person shut out.
    pub async fn person(&self, device: TokenFamilyId) -> Result<Option<Person>> {
        let row: Option<(Uuid, bool)> = sqlx::query_as(
            "select u.id, u.is_superadmin from token_families f join users u on u.id = f.user_id and u.is_active
             where f.id = $1 and f.revoked_at is null and f.expires_at > $2",
        )
        .bind(device.uuid())
        .bind(self.environment().now())
        .fetch_optional(self.system_pool())
        .await?;
        Ok(row.map(|(user, is_superadmin)| Person {
            user: UserId::from_uuid(user),
            device,
            is_superadmin,
            request: None,
        }))
    }

    /// Proof of what a person may do in an organisation; `None` when they have no active place there, whatever the reason.
    pub async fn access_of_user(&self, user: UserId, organization: OrganizationId) -> Result<Option<Access>> {
        access_of_user(self.system_pool(), user, organization, self.environment().now()).await
    }

    /// Proof of what the holder of an API key may do: its scopes, as far as whoever made it may do them now. `None` when the key is
    /// unknown, expired or revoked, or its maker has no active place any more.
    pub async fn access_of_api_key(&self, key: &str) -> Result<Option<Access>> {
        let now = self.environment().now();
        let row: Option<KeyRow> = sqlx::query_as(concat!(
            "select k.id, k.scopes, k.last_used_at, k.is_of_terminal, ",
            place!(),
            " from api_keys k
              join organization_members m on m.organization_id = k.organization_id and m.id = k.member_id and m.status = 'active' ",
            living_place!(),
            " where k.key_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)"
        ))
        .bind(secret_token::hash(key))
        .bind(now)
        .fetch_optional(self.system_pool())
        .await?;
        let Some(KeyRow {
            id,
            scopes: Json(scopes),
            last_used_at,
            is_of_terminal,
            place,
        }) = row
        else {
            return Ok(None);
        };
        if last_used_at.is_none_or(|at| at + TimeDelta::minutes(1) <= now) {
            sqlx::query("update api_keys set last_used_at = $2 where id = $1")
                .bind(id)
                .bind(now)
                .execute(self.system_pool())
                .await?;
        }
        let maker = place.access(now)?;
        Ok(Some(maker.through_key(
            ApiKeyId::from_uuid(id),
            scopes.into_iter().collect(),
            is_of_terminal,
        )))
    }
}

/// See [`Store::access_of_user`].
pub(crate) async fn access_of_user(
    executor: impl PgExecutor<'_>,
    user: UserId,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Option<Access>> {
    let row: Option<PlaceRow> = sqlx::query_as(concat!(
        "select ",
        place!(),
        " from organization_members m ",
        living_place!(),
        " where m.organization_id = $1 and m.user_id = $2 and m.status = 'active'"
    ))
    .bind(organization.uuid())
    .bind(user.uuid())
    .fetch_optional(executor)
    .await?;
    row.map(|row| row.access(now)).transpose()
}

impl PlaceRow {
    fn access(self, now: DateTime<Utc>) -> Result<Access> {
        let role = parse(&self.role)?;
        let status: SubscriptionStatus = parse(&self.subscription_status)?;
        let plan: Plan = parse(&self.subscription_plan)?;
        let mut permissions = Permissions::of_role(role);
        if let Some(Json(overrides)) = &self.overrides {
            permissions = permissions.overridden(overrides);
        }
        permissions = permissions.with(&self.custom_permissions);
        if status.effective(self.trial_ends_at, now) == SubscriptionStatus::Inactive {
            permissions = permissions.reading_only();
        }
        let place = Place {
            organization: OrganizationId::from_uuid(self.organization_id),
            member: MemberId::from_uuid(self.member_id),
            user: UserId::from_uuid(self.user_id),
            role,
        };
        Ok(Access::of_member(
            place,
            self.slack_channels
                .into_iter()
                .map(SlackChannelId::from_uuid)
                .collect(),
            permissions,
            plan.limits().with(&self.limits),
        ))
    }
}
