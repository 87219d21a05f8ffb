//! The people who can sign in.

use amebo_core::document::Reader;
use amebo_core::id::{Id, MemberId, OrganizationId, UserId};
use amebo_core::organization::MemberStatus;
use amebo_core::page::{Page, PageRequest};
use amebo_core::permission::Role;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::access::Access;
use crate::credential;
use crate::error::{Result, parse};
use crate::transaction::SystemScope;

/// A person who can sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// The person.
    pub id: UserId,
    /// Case-folded address, unique.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// Argon2id in PHC form.
    pub password_hash: Option<String>,
    /// Whether they are a platform operator.
    pub is_superadmin: bool,
    /// Whether they may sign in at all.
    pub is_active: bool,
    /// When they last signed in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When they signed up or were invited.
    pub created_at: DateTime<Utc>,
}

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Address, in any case.
    pub email: String,
    /// How they are called.
    pub name: String,
    /// Argon2id in PHC form; `None` until they choose a password.
    pub password_hash: Option<String>,
    /// Whether they are a platform operator.
    pub is_superadmin: bool,
}

/// A person's place in one organisation, as they see it themselves.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The place.
    pub member: MemberId,
    /// The organisation.
    pub organization: OrganizationId,
    /// The organisation's name.
    pub name: String,
    /// The organisation's name in addresses.
    pub slug: String,
    /// What they are there.
    pub role: Role,
    /// Whether they may act there.
    pub status: MemberStatus,
}

/// The people who can sign in.
#[derive(Debug)]
pub struct Users<'a>(pub(crate) SystemScope<'a>);

macro_rules! select_user {
    () => {
        "select id, email, name, password_hash, is_superadmin, is_active, last_login_at, created_at from users"
    };
}

type UserRow = (
    Uuid,
    String,
    String,
    Option<String>,
    bool,
    bool,
    Option<DateTime<Utc>>,
    DateTime<Utc>,
);

fn user(
    (id, email, name, password_hash, is_superadmin, is_active, last_login_at, created_at): UserRow,
) -> User {
    User {
        id: UserId::from_uuid(id),
        email,
        name,
        password_hash,
        is_superadmin,
        is_active,
        last_login_at,
        created_at,
    }
}

impl Users<'_> {
    /// Adds a person. A conflict on `users_email_key` means the address is taken.
    pub async fn insert(&mut self, new: &NewUser) -> Result<UserId> {
        let (id, now) = (self.0.environment.id::<UserId>(), self.0.environment.now());
        sqlx::query(
            "insert into users (id, email, name, password_hash, is_superadmin, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(id.uuid())
        .bind(new.email.trim().to_lowercase())
        .bind(&new.name)
        .bind(&new.password_hash)
        .bind(new.is_superadmin)
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }

    /// The person of this address.
    pub async fn by_email(&mut self, email: &str) -> Result<Option<User>> {
        let row: Option<UserRow> = sqlx::query_as(concat!(select_user!(), " where email = $1"))
            .bind(email.trim().to_lowercase())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        Ok(row.map(user))
    }

    /// A person by id.
    pub async fn by_id(&mut self, id: UserId) -> Result<Option<User>> {
        let row: Option<UserRow> = sqlx::query_as(concat!(select_user!(), " where id = $1"))
            .bind(id.uuid())
            .fetch_optional(&mut *self.0.connection)
            .await?;
        Ok(row.map(user))
    }

    /// Whether nobody has an account yet.
    pub async fn is_empty(&mut self) -> Result<bool> {
        Ok(sqlx::query_scalar("select not exists (select from users)")
            .fetch_one(&mut *self.0.connection)
            .await?)
    }

    /// The oldest platform operator.
    pub async fn first_superadmin(&mut self) -> Result<Option<User>> {
        let row: Option<UserRow> = sqlx::query_as(concat!(
            select_user!(),
            " where is_superadmin and is_active order by id limit 1"
        ))
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(user))
    }

    /// People in the order they came, for the operator.
    pub async fn list(&mut self, page: &PageRequest<UserId>) -> Result<Page<User>> {
        let rows: Vec<UserRow> = sqlx::query_as(concat!(
            select_user!(),
            " where $1::uuid is null or id > $1 order by id limit $2"
        ))
        .bind(page.after.map(Id::uuid))
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let users = rows.into_iter().map(user).collect();
        Ok(Page::from_rows(users, page.limit, |user: &User| user.id))
    }

    /// The organisations a person belongs to, oldest place first.
    pub async fn memberships(&mut self, id: UserId) -> Result<Vec<Membership>> {
        let rows: Vec<(Uuid, Uuid, String, String, String, String)> = sqlx::query_as(
            "select m.id, o.id, o.name, o.slug, m.role, m.status
             from organization_members m join organizations o on o.id = m.organization_id
             where m.user_id = $1 and o.subscription_status <> 'cancelled' order by m.id",
        )
        .bind(id.uuid())
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter()
            .map(|(member, organization, name, slug, role, status)| {
                Ok(Membership {
                    member: MemberId::from_uuid(member),
                    organization: OrganizationId::from_uuid(organization),
                    name,
                    slug,
                    role: parse(&role)?,
                    status: parse(&status)?,
                })
            })
            .collect()
    }

    /// See [`crate::Store::access_of_user`].
    pub async fn access(&mut self, user: UserId, organization: OrganizationId) -> Result<Option<Access>> {
        let now = self.0.environment.now();
        credential::access_of_user(&mut *self.0.connection, user, organization, now).await
    }

    /// Renames a person.
    pub async fn rename(&mut self, id: UserId, name: &str) -> Result<()> {
        sqlx::query("update users set name = $2, updated_at = $3 where id = $1")
            .bind(id.uuid())
            .bind(name)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Gives a person a new password, as an Argon2id hash in PHC form.
    pub async fn set_password(&mut self, id: UserId, hash: &str) -> Result<()> {
        sqlx::query("update users set password_hash = $2, updated_at = $3 where id = $1")
            .bind(id.uuid())
            .bind(hash)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }

    /// Lets a person in, or shuts them out with every credential. Returns whether there is such a person.
    pub async fn set_active(&mut self, id: UserId, active: bool) -> Result<bool> {
        let done = sqlx::query("update users set is_active = $2, updated_at = $3 where id = $1")
            .bind(id.uuid())
            .bind(active)
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that a person signed in now.
    pub async fn signed_in(&mut self, id: UserId) -> Result<()> {
        sqlx::query("update users set last_login_at = $2 where id = $1")
            .bind(id.uuid())
            .bind(self.0.environment.now())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}

impl From<&Access> for Reader {
    fn from(access: &Access) -> Self {
        access.reader().clone()
    }
}
