//! The people in an organisation and their places.

use amebo_core::id::{Id, MemberId, UserId};
use amebo_core::organization::MemberStatus;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::{CustomPermissions, Role};
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::{Result, parse};
use crate::transaction::Scope;

/// A person's place in the current organisation.
#[derive(Debug, Clone)]
pub struct Member {
    /// The place.
    pub id: MemberId,
    /// The person.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they are here.
    pub role: Role,
    /// Whether they may act here.
    pub status: MemberStatus,
    /// What they may do beyond the role, or may not do despite it.
    pub custom_permissions: CustomPermissions,
    /// When they last signed in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When they joined.
    pub created_at: DateTime<Utc>,
}

/// What can be changed of a place.
#[derive(Debug, Clone, Copy)]
pub struct MemberState<'a> {
    /// What they are here.
    pub role: Role,
    /// Whether they may act here.
    pub status: MemberStatus,
    /// What they may do beyond the role, or may not do despite it.
    pub custom_permissions: &'a CustomPermissions,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    email: String,
    name: String,
    role: String,
    status: String,
    custom_permissions: Json<CustomPermissions>,
    last_login_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

macro_rules! select_member {
    () => {
        "select m.id, m.user_id, p.email, p.name, m.role, m.status, m.custom_permissions, p.last_login_at, m.created_at
         from organization_members m join member_profiles p on p.member_id = m.id
         where m.organization_id = $1"
    };
}

impl Row {
    fn member(self) -> Result<Member> {
        Ok(Member {
            id: MemberId::from_uuid(self.id),
            user: UserId::from_uuid(self.user_id),
            email: self.email,
            name: self.name,
            role: parse(&self.role)?,
            status: parse(&self.status)?,
            custom_permissions: self.custom_permissions.0,
            last_login_at: self.last_login_at,
            created_at: self.created_at,
        })
    }
}

/// The people in the current organisation.
#[derive(Debug)]
pub struct Members<'a>(pub(crate) Scope<'a>);

impl Members<'_> {
    /// The members in the order they joined.
    pub async fn list(&mut self, page: &PageRequest<MemberId>) -> Result<Page<Member>> {
        let rows: Vec<Row> = sqlx::query_as(concat!(
            select_member!(),
            " and ($2::uuid is null or m.id > $2) order by m.id limit $3"
        ))
        .bind(self.0.organization.uuid())
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let members = rows.into_iter().map(Row::member).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(members, page.limit, |member: &Member| member.id))
    }

    /// One member.
    pub async fn get(&mut self, id: MemberId) -> Result<Option<Member>> {
        let row: Option<Row> = sqlx::query_as(concat!(select_member!(), " and m.id = $2"))
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        row.map(Row::member).transpose()
    }

    /// Whether somebody of this address is a member.
    pub async fn has_email(&mut self, email: &str) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from member_profiles where organization_id = $1 and email = $2)",
        )
        .bind(self.0.organization.uuid())
        .bind(email.trim().to_lowercase())
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// How many there are.
    pub async fn count(&mut self) -> Result<u64> {
        let count: i64 =
            sqlx::query_scalar("select count(*) from organization_members where organization_id = $1")
                .bind(self.0.organization.uuid())
                .fetch_one(&mut *self.0.connection)
                .await?;
        Ok(count.unsigned_abs())
    }

    /// Makes changes to members wait for one another until this transaction ends, so that what is decided on what is read here holds.
    pub async fn lock(&mut self) -> Result<()> {
        sqlx::query("select from organizations where id = $1 for update")
            .bind(self.0.organization.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Whether somebody other than this member is an owner who can act.
    pub async fn has_owner_besides(&mut self, member: MemberId) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "select exists (select from organization_members m join member_profiles p on p.member_id = m.id
             where m.organization_id = $1 and m.id <> $2 and m.role = 'owner' and m.status = 'active' and p.is_active)",
        )
        .bind(self.0.organization.uuid())
        .bind(member.uuid())
        .fetch_one(&mut *self.0.connection)
        .await?)
    }

    /// Gives a person a place. A conflict on `organization_members_organization_id_user_id_key` means they have one.
    pub async fn insert(&mut self, user: UserId, role: Role) -> Result<MemberId> {
        let (id, now) = (self.0.environment.id::<MemberId>(), self.0.environment.now());
        sqlx::query(
            "insert into organization_members (id, organization_id, user_id, role, status, created_at, updated_at)
             values ($1, $2, $3, $4, 'active', $5, $5)",
        )
        .bind(id.uuid())
        .bind(self.0.organization.uuid())
        .bind(user.uuid())
        .bind(role.as_str())
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// Changes a place.
    pub async fn update(&mut self, id: MemberId, state: MemberState<'_>) -> Result<()> {
        sqlx::query(
            "update organization_members set role = $3, status = $4, custom_permissions = $5, updated_at = $6
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(state.role.as_str())
        .bind(state.status.as_str())
        .bind(Json(state.custom_permissions))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }

    /// Ends a place, and with it the API keys and invitations made from it.
    pub async fn delete(&mut self, id: MemberId) -> Result<()> {
        sqlx::query("delete from organization_members where organization_id = $1 and id = $2")
            .bind(self.0.organization.uuid())
            .bind(id.uuid())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}
