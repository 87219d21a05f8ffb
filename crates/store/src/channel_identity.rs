//! What people are called on channels: members of the organisation, or contacts.

use amebo_core::channel::Standing;
use amebo_core::id::{ChannelConnectionId, ChannelIdentityId, ContactId, Id, UserId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::OrgTx;
use crate::error::{Error, Result, parse};
use crate::transaction::Scope;

/// A person on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelIdentity {
    /// The identity.
    pub id: ChannelIdentityId,
    /// Their id on the platform.
    pub external_id: String,
    /// Who they are here.
    pub who: Who,
    /// How they are called there.
    pub display_name: Option<String>,
    /// What the account says they are.
    pub standing: Standing,
    /// When the platform was last asked about them.
    pub checked_at: DateTime<Utc>,
}

/// Who a person on a channel is in the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A member.
    Member(UserId),
    /// Somebody outside.
    Contact(ContactId),
}

/// What the platform says of a person.
#[derive(Debug, Clone)]
pub struct Profile<'a> {
    /// Their id on the platform.
    pub external_id: &'a str,
    /// How they are called there.
    pub display_name: Option<&'a str>,
    /// Their address there.
    pub email: Option<&'a str>,
    /// Whether the platform has verified that the address is theirs.
    pub email_is_verified: bool,
    /// What the account says they are.
    pub standing: Standing,
}

#[derive(sqlx::FromRow)]
struct IdentityRow {
    id: Uuid,
    external_id: String,
    contact_id: Option<Uuid>,
    user_id: Option<Uuid>,
    display_name: Option<String>,
    standing: String,
    checked_at: DateTime<Utc>,
}

impl TryFrom<IdentityRow> for ChannelIdentity {
    type Error = Error;

    fn try_from(row: IdentityRow) -> Result<Self> {
        let who = match (row.user_id, row.contact_id) {
            (Some(user), _) => Who::Member(UserId::from_uuid(user)),
            (None, Some(contact)) => Who::Contact(ContactId::from_uuid(contact)),
            (None, None) => return Err(Error::Corrupt("an identity of nobody".to_owned())),
        };
        Ok(Self {
            id: ChannelIdentityId::from_uuid(row.id),
            external_id: row.external_id,
            who,
            display_name: row.display_name,
            standing: parse(&row.standing)?,
            checked_at: row.checked_at,
        })
    }
}

impl OrgTx {
    /// The people known on a connected account.
    pub fn channel_identities(&mut self, connection: ChannelConnectionId) -> ChannelIdentities<'_> {
        ChannelIdentities(self.scope(), connection)
    }

    /// The organisation's contacts.
    pub fn contacts(&mut self) -> Contacts<'_> {
        Contacts(self.scope())
    }
}

/// The contacts of one organisation.
#[derive(Debug)]
pub struct Contacts<'a>(Scope<'a>);

impl Contacts<'_> {
    /// Deletes the contacts that are known on one connected account and nowhere else.
    pub async fn delete_known_only_on(&mut self, connection: ChannelConnectionId) -> Result<u64> {
        let done = sqlx::query(
            "delete from contacts c where c.organization_id = $1
               and exists (select from channel_identities i where i.organization_id = $1 and i.contact_id = c.id and i.connection_id = $2)
               and not exists (select from channel_identities i where i.organization_id = $1 and i.contact_id = c.id and i.connection_id <> $2)",
        )
        .bind(self.0.organization.uuid())
        .bind(connection.uuid())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected())
    }
}

/// The people known on one connected account.
#[derive(Debug)]
pub struct ChannelIdentities<'a>(Scope<'a>, ChannelConnectionId);

const COLUMNS: &str = "id, external_id, contact_id, user_id, display_name, standing, checked_at";

impl ChannelIdentities<'_> {
    /// Those of these people who are known.
    pub async fn of(&mut self, external_ids: &[String]) -> Result<Vec<ChannelIdentity>> {
        let rows: Vec<IdentityRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from channel_identities where organization_id = $1 and connection_id = $2 and external_id = any ($3)"
        )))
        .bind(self.0.organization.uuid())
        .bind(self.1.uuid())
        .bind(external_ids)
        .fetch_all(&mut *self.0.connection)
        .await?;
        rows.into_iter().map(ChannelIdentity::try_from).collect()
    }

    /// Keeps what the platform says of a person. Somebody whose verified address is a member's is that member, unless they linked
    /// themselves to one; anybody else is a contact.
    pub async fn keep(&mut self, profile: &Profile<'_>) -> Result<ChannelIdentity> {
        let now = self.0.environment.now();
        let may_be_member = profile.standing == Standing::Colleague || profile.standing == Standing::Guest;
        let address = profile
            .email
            .filter(|_| profile.email_is_verified && may_be_member)
            .map(|email| email.trim().to_lowercase());
        let organization = self.0.organization.uuid();
        let known: Option<(Uuid, Option<Uuid>, Option<Uuid>)> = sqlx::query_as(
            "select id, contact_id, case when verified_by = 'link' then user_id end from channel_identities
             where organization_id = $1 and connection_id = $2 and external_id = $3 for update",
        )
        .bind(organization)
        .bind(self.1.uuid())
        .bind(profile.external_id)
        .fetch_optional(&mut *self.0.connection)
        .await?;
        let member: Option<Uuid> = match &address {
            Some(address) => {
                sqlx::query_scalar(
                    "select user_id from member_profiles where organization_id = $1 and email = $2",
                )
                .bind(organization)
                .bind(address)
                .fetch_optional(&mut *self.0.connection)
                .await?
            }
            None => None,
        };
        let linked = known.and_then(|(_, _, user)| user);
        let user = linked.or(member);
        let contact = match (user, known.and_then(|(_, contact, _)| contact)) {
            (Some(_), _) => None,
            (None, Some(contact)) => Some(contact),
            (None, None) => Some(self.insert_contact(profile).await?),
        };
        let id = known.map_or_else(
            || self.0.environment.id::<ChannelIdentityId>().uuid(),
            |known| known.0,
        );
        let row: IdentityRow = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "insert into channel_identities as i (id, organization_id, connection_id, external_id, contact_id, user_id, display_name, email,
                                                  standing, verified_at, verified_by, checked_at, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $6::uuid is not null then $10 end, case when $6::uuid is not null then $11 end,
                     $10, $10, $10)
             on conflict (organization_id, connection_id, external_id) do update
             set contact_id = excluded.contact_id, user_id = excluded.user_id,
                 display_name = excluded.display_name, email = excluded.email, standing = excluded.standing,
                 verified_at = case when i.user_id = excluded.user_id then i.verified_at else excluded.verified_at end,
                 verified_by = excluded.verified_by, checked_at = excluded.checked_at, updated_at = excluded.updated_at
             returning {COLUMNS}"
        )))
        .bind(id)
        .bind(organization)
        .bind(self.1.uuid())
        .bind(profile.external_id)
        .bind(contact)
        .bind(user)
        .bind(cut(profile.display_name, 200))
        .bind(cut(profile.email, 254))
        .bind(profile.standing.as_str())
        .bind(now)
        .bind(if linked.is_some() { "link" } else { "address" })
        .fetch_one(&mut *self.0.connection)
        .await?;
        row.try_into()
    }

    /// Makes a person on the channel a member, as that member has confirmed. `false`: the person is not known there.
    pub async fn link(&mut self, external_id: &str, user: UserId) -> Result<bool> {
        let done = sqlx::query(
            "update channel_identities set user_id = $4, contact_id = null, verified_at = $5, verified_by = 'link', updated_at = $5
             where organization_id = $1 and connection_id = $2 and external_id = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(self.1.uuid())
        .bind(external_id)
        .bind(user.uuid())
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Those of these people who are active members.
    pub async fn active_members(&mut self, users: &[UserId]) -> Result<Vec<UserId>> {
        let users: Vec<Uuid> = users.iter().map(|user| user.uuid()).collect();
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "select m.user_id from organization_members m
             join member_profiles p on p.member_id = m.id and p.is_active
             where m.organization_id = $1 and m.user_id = any ($2) and m.status = 'active'",
        )
        .bind(self.0.organization.uuid())
        .bind(users)
        .fetch_all(&mut *self.0.connection)
        .await?;
        Ok(rows.into_iter().map(UserId::from_uuid).collect())
    }

    async fn insert_contact(&mut self, profile: &Profile<'_>) -> Result<Uuid> {
        let (id, now) = (
            self.0.environment.id::<ContactId>().uuid(),
            self.0.environment.now(),
        );
        sqlx::query(
            "insert into contacts (id, organization_id, name, email, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)",
        )
        .bind(id)
        .bind(self.0.organization.uuid())
        .bind(cut(profile.display_name, 200))
        .bind(cut(profile.email, 254))
        .bind(now)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(id)
    }
}

fn cut(text: Option<&str>, length: usize) -> Option<String> {
    text.map(|text| {
        text.chars()
            .filter(|c| *c != '\0')
            .take(length)
            .collect::<String>()
    })
    .filter(|text| !text.is_empty())
}
