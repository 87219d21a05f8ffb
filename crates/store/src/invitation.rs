//! Invitations to join an organisation.

use amebo_core::id::{Id, InvitationId, MemberId, OrganizationId, UserId};
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::Role;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::access::{Actor, Permit, RequestOrigin};
use crate::error::{Result, parse};
use crate::secret_token;
use crate::transaction::{Scope, SystemScope};

/// How long an invitation stays open.
pub const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// An open invitation.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// The member whose authority it carries.
    pub invited_by: MemberId,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

type Row = (Uuid, String, String, Uuid, DateTime<Utc>, DateTime<Utc>);

fn invitation((id, email, role, invited_by, expires_at, created_at): Row) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId::from_uuid(id),
        email,
        role: parse(&role)?,
        invited_by: MemberId::from_uuid(invited_by),
        expires_at,
        created_at,
    })
}

macro_rules! columns {
    () => {
        "id, email, role, invited_by, expires_at, created_at"
    };
}

/// Open invitations of the current organisation.
#[derive(Debug)]
pub struct Invitations<'a>(pub(crate) Scope<'a>);

impl Invitations<'_> {
    /// Makes an invitation and its token; an earlier one to the same address stops working.
    pub async fn create(
        &mut self,
        email: &str,
        role: Role,
        invited_by: MemberId,
    ) -> Result<(Invitation, String)> {
        let (id, now) = (self.0.environment.id::<InvitationId>(), self.0.environment.now());
        let token = self.0.environment.token();
        let email = email.trim().to_lowercase();
        sqlx::query("delete from invitations where organization_id = $1 and email = $2")
            .bind(self.0.organization.uuid())
            .bind(&email)
            .execute(&mut *self.0.connection)
            .await?;
        let row: Row = sqlx::query_as(concat!(
            "insert into invitations (id, organization_id, email, role, invited_by, token_hash, expires_at, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning ",
            columns!()
        ))
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(email)
        .bind(role.as_str())
        .bind(invited_by.uuid())
        .bind(secret_token::hash(&token))
        .bind(now + INVITATION_LIFETIME)
        .bind(now)
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok((invitation(row)?, token))
    }

    /// Invitations in the order they were made, those past their time included.
    pub async fn list(&mut self, page: &PageRequest<InvitationId>) -> Result<Page<Invitation>> {
        let rows: Vec<Row> = sqlx::query_as(concat!(
            "select ",
            columns!(),
            " from invitations where organization_id = $1 and ($2::uuid is null or id > $2) order by id limit $3"
        ))
        .bind(self.0.organization.uuid())
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let items = rows.into_iter().map(invitation).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(items, page.limit, |item: &Invitation| item.id))
    }

    /// How many are open and in time.
    pub async fn count_open(&mut self) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from invitations where organization_id = $1 and expires_at > $2",
        )
        .bind(self.0.organization.uuid())
        .bind(self.0.environment.now())
        .fetch_one(&mut *self.0.connection)
        .await?;
        Ok(count.unsigned_abs())
    }

    /// Takes an invitation away, because it was accepted or revoked. Returns what it was.
    pub async fn delete(&mut self, id: InvitationId) -> Result<Option<Invitation>> {
        let row: Option<Row> = sqlx::query_as(concat!(
            "delete from invitations where organization_id = $1 and id = $2 returning ",
            columns!()
        ))
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(invitation).transpose()
    }
}

/// An invitation as its token opens it, before anybody is signed in.
#[derive(Debug, Clone)]
pub struct OpenInvitation {
    /// The invitation.
    pub id: InvitationId,
    /// Where it leads.
    pub organization: OrganizationId,
    /// What that is called.
    pub organization_name: String,
    /// Who is invited.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// The person whose authority it carries.
    pub inviter: UserId,
}

impl OpenInvitation {
    /// Holding the token is proof enough to enter the organisation as the invited person, to take the place offered.
    pub fn permit(&self, user: UserId, request: RequestOrigin) -> Permit {
        Permit {
            organization: self.organization,
            actor: Actor::User(user),
            request: Some(request),
        }
    }
}

/// Invitations as those who hold a token see them.
#[derive(Debug)]
pub struct SystemInvitations<'a>(pub(crate) SystemScope<'a>);

impl SystemInvitations<'_> {
    /// The invitation a token opens, if it is in time.
    pub async fn by_token(&mut self, token: &str) -> Result<Option<OpenInvitation>> {
        let row: Option<(Uuid, Uuid, String, String, String, Uuid)> = sqlx::query_as(
            "select i.id, i.organization_id, o.name, i.email, i.role, m.user_id
             from invitations i
             join organizations o on o.id = i.organization_id
             join organization_members m on m.organization_id = i.organization_id and m.id = i.invited_by
             where i.token_hash = $1 and i.expires_at > $2",
        )
        .bind(secret_token::hash(token))
        .bind(self.0.environment.now())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(id, organization, organization_name, email, role, inviter)| {
            Ok(OpenInvitation {
                id: InvitationId::from_uuid(id),
                organization: OrganizationId::from_uuid(organization),
                organization_name,
                email,
                role: parse(&role)?,
                inviter: UserId::from_uuid(inviter),
            })
        })
        .transpose()
    }
}
