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

impl ChannelIdentity {
    /// Whether the platform has told anything about them, or was asked and knows nothing.
    pub fn is_told(&self) -> bool {
        self.checked_at > DateTime::UNIX_EPOCH
    }
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
    /// Whether the platform told this; otherwise it is asked again the next time.
    pub is_told: bool,
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

/// A person on a channel that a member said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnIdentity {
    /// The identity.
    pub id: ChannelIdentityId,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// How the account is called.
    pub connection_name: String,
    /// How they are called there.
    pub name: Option<String>,
    /// When they said so.
    pub since: Option<DateTime<Utc>>,
}

impl OrgTx {
    /// Whom a member said to be on channels.
    pub async fn identities_linked_to(&mut self, user: UserId) -> Result<Vec<OwnIdentity>> {
        type Row = (Uuid, Uuid, String, Option<String>, Option<DateTime<Utc>>);
        let scope = self.scope();
        let rows: Vec<Row> = sqlx::query_as(
            "select i.id, i.connection_id, c.display_name, i.display_name, i.verified_at from channel_identities i
             join channel_connections c on c.organization_id = i.organization_id and c.id = i.connection_id
             where i.organization_id = $1 and i.user_id = $2 and i.verified_by = 'link' order by i.verified_at, i.id",
        )
        .bind(scope.organization.uuid())
        .bind(user.uuid())
        .fetch_all(&mut *scope.connection)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, connection, connection_name, name, since)| OwnIdentity {
                id: ChannelIdentityId::from_uuid(id),
                connection: ChannelConnectionId::from_uuid(connection),
                connection_name,
                name,
                since,
            })
            .collect())
    }

    /// Ends that a member is a person on a channel whom they said to be. What the account is, and the platform's id of the person; `None`
    /// when they said no such thing.
    pub async fn unlink_identity(
        &mut self,
        id: ChannelIdentityId,
        user: UserId,
    ) -> Result<Option<(ChannelConnectionId, String)>> {
        let scope = self.scope();
        let connection: Option<Uuid> = sqlx::query_scalar(
            "select connection_id from channel_identities where organization_id = $1 and id = $2",
        )
        .bind(scope.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *scope.connection)
        .await?;
        let Some(connection) = connection.map(ChannelConnectionId::from_uuid) else {
            return Ok(None);
        };
        let unlinked = self.channel_identities(connection).unlink(id, user).await?;
        Ok(unlinked.map(|external_id| (connection, external_id)))
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
                     $12, $10, $10)
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
        .bind(if profile.is_told {
            now
        } else {
            DateTime::UNIX_EPOCH
        })
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

    /// Makes a person on the channel nobody's again who a member said to be, until the platform verifies an address of theirs.
    async fn unlink(&mut self, id: ChannelIdentityId, user: UserId) -> Result<Option<String>> {
        let known: Option<(String, Option<String>, Option<String>)> = sqlx::query_as(
            "select external_id, display_name, email from channel_identities
             where organization_id = $1 and connection_id = $2 and id = $3 and user_id = $4 and verified_by = 'link' for update",
        )
        .bind(self.0.organization.uuid())
        .bind(self.1.uuid())
        .bind(id.uuid())
        .bind(user.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        let Some((external_id, name, email)) = known else {
            return Ok(None);
        };
        let contact = self
            .insert_contact(&Profile {
                external_id: &external_id,
                display_name: name.as_deref(),
                email: email.as_deref(),
                email_is_verified: false,
                standing: Standing::Stranger,
                is_told: false,
            })
            .await?;
        // Whether an address of theirs is a member's is looked at when they come again.
        sqlx::query(
            "update channel_identities set user_id = null, contact_id = $4, verified_at = null, verified_by = null, checked_at = $5,
                 updated_at = $6
             where organization_id = $1 and connection_id = $2 and id = $3",
        )
        .bind(self.0.organization.uuid())
        .bind(self.1.uuid())
        .bind(id.uuid())
        .bind(contact)
        .bind(DateTime::UNIX_EPOCH)
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(Some(external_id))
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
