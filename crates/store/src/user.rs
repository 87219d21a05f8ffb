//! The people who can sign in.

use amebo_core::document::Reader;
use amebo_core::id::{Id, OrganizationId, UserId};
use amebo_core::permission::{CustomPermissions, Permissions, Role};
use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::access::Access;
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

/// The people who can sign in.
#[derive(Debug)]
pub struct Users<'a>(pub(crate) SystemScope<'a>);

type UserRow = (Uuid, String, String, Option<String>, bool, bool, DateTime<Utc>);

fn user((id, email, name, password_hash, is_superadmin, is_active, created_at): UserRow) -> User {
    User {
        id: UserId::from_uuid(id),
        email,
        name,
        password_hash,
        is_superadmin,
        is_active,
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
        let row: Option<UserRow> = sqlx::query_as(
            "select id, email, name, password_hash, is_superadmin, is_active, created_at from users where email = $1",
        )
        .bind(email.trim().to_lowercase())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        Ok(row.map(user))
    }

    /// Proof that a person is an active member of an active-enough organisation; `None` when they are not, whatever the reason.
    pub async fn access(&mut self, person: UserId, organization: OrganizationId) -> Result<Option<Access>> {
        let row: Option<(String, Json<CustomPermissions>)> = sqlx::query_as(
            "select m.role, m.custom_permissions
             from organization_members m join users u on u.id = m.user_id
             where m.organization_id = $1 and m.user_id = $2 and m.status = 'active' and u.is_active",
        )
        .bind(organization.uuid())
        .bind(person.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(|(role, Json(custom))| {
            let role: Role = parse(&role)?;
            let permissions = Permissions::of_role(role).with(&custom);
            Ok(Access::of_member(organization, person, role, permissions))
        })
        .transpose()
    }
}

impl From<&Access> for Reader {
    fn from(access: &Access) -> Self {
        access.reader().clone()
    }
}
