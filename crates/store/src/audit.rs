//! Who did what: an append-only log, chained by hashes within each organisation.
//!
//! Every entry's hash covers the entry and the hash before it, so that changing, removing or inserting one breaks the chain at that
//! place. The application's database role can add and read, nothing else. An entry that takes part in a chain is numbered under the
//! lock of the organisation's head row: append late in a transaction, since others wait for it until the commit.
//!
//! What a person may ask to have erased (details and address) enters the chain only through a salted digest. Erasing it leaves the
//! chain whole. Whoever can rewrite the whole chain, head included, can forge it: keep the head's hash elsewhere to exclude that.

mod chain;
mod verify;

use amebo_core::id::{ApiKeyId, AuditEntryId, Id, OrganizationId, UserId};
use amebo_core::page::{Page, PageRequest};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use self::chain::Entry;
pub use self::verify::{Reason, Verified};
use crate::access::Actor;
use crate::error::{Error, Result};
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, Permit, Store, SystemTx};

/// Something done, to be recorded. Who did it, and with which request, the transaction knows.
#[derive(Debug, Clone)]
pub struct NewEntry {
    action: &'static str,
    resource_type: &'static str,
    resource_id: Option<Uuid>,
    details: Option<Value>,
}

impl NewEntry {
    /// `action` such as `document.delete`, on a kind of thing such as `document`.
    pub fn new(action: &'static str, resource_type: &'static str) -> Self {
        Self {
            action,
            resource_type,
            resource_id: None,
            details: None,
        }
    }

    /// Which one.
    #[must_use]
    pub fn of(mut self, id: impl Id) -> Self {
        self.resource_id = Some(id.uuid());
        self
    }

    pub(crate) fn of_row(mut self, id: Uuid) -> Self {
        self.resource_id = Some(id);
        self
    }

    /// What changed; never secrets.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// The entry.
    pub id: AuditEntryId,
    /// Its place in the organisation's chain, from 1.
    pub number: i64,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub resource_type: String,
    /// To which one.
    pub resource_id: Option<Uuid>,
    /// What changed; absent also when it was erased.
    pub details: Option<Value>,
    /// From where; absent also when it was erased.
    pub ip: Option<String>,
    /// With which request.
    pub request_id: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Which entries to list; what is absent matches all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Done by this person or program.
    pub actor: Option<Uuid>,
    /// This action.
    pub action: Option<String>,
    /// To this kind of thing.
    pub resource_type: Option<String>,
    /// To this one.
    pub resource_id: Option<Uuid>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

impl OrgTx {
    /// The organisation's audit log.
    pub fn audit(&mut self) -> Audit<'_> {
        Audit(self.scope())
    }
}

impl Store {
    /// Proves an organisation's log for whoever administers the machine; `None` when there is no such organisation.
    pub async fn verify_audit(&self, organization: OrganizationId) -> Result<Option<Verified>> {
        let mut tx = self.begin_system().await?;
        let found = tx.organizations().get(organization).await?;
        tx.commit().await?;
        let Some(found) = found else { return Ok(None) };
        let mut tx = self.begin(&Permit::of_system(found.id)).await?;
        let verified = tx.audit().verify().await?;
        tx.commit().await?;
        Ok(Some(verified))
    }
}

impl SystemTx {
    /// The audit logs of all organisations.
    pub fn audit(&mut self) -> SystemAudit<'_> {
        SystemAudit(self.scope())
    }
}

/// The audit log of one organisation.
#[derive(Debug)]
pub struct Audit<'a>(pub(crate) Scope<'a>);

impl Audit<'_> {
    /// Records an entry, if this transaction commits.
    pub async fn append(&mut self, new: NewEntry) -> Result<AuditEntryId> {
        let (organization, environment) = (self.0.organization, self.0.environment);
        // One statement locks the chain, draws the number and reads the hash of the entry before.
        let (number, previous_hash): (i64, Vec<u8>) = sqlx::query_as(
            "insert into audit_heads (organization_id, number, hash) values ($1, 1, $2)
             on conflict (organization_id) do update set number = audit_heads.number + 1
             returning number, hash",
        )
        .bind(organization.uuid())
        .bind(chain::ORIGIN.as_slice())
        .fetch_one(&mut *self.0.connection)
        .await?;
        let (actor_kind, actor_id) = split(self.0.actor);
        let details = new
            .details
            .map(|details| serde_json::to_string(&details))
            .transpose()
            .map_err(|error| Error::Corrupt(error.to_string()))?;
        let mut entry = Entry {
            id: environment.id::<AuditEntryId>().uuid(),
            number,
            actor_kind: actor_kind.to_owned(),
            actor_id,
            action: new.action.to_owned(),
            resource_type: new.resource_type.to_owned(),
            resource_id: new.resource_id,
            details,
            ip: self
                .0
                .request
                .map(|request| request.address.to_canonical().to_string()),
            request_id: self.0.request.map(|request| request.id.to_string()),
            salt: Some(environment.bytes::<16>().to_vec()),
            details_digest: Vec::new(),
            previous_hash,
            hash: Vec::new(),
            created_at: environment.now(),
        };
        entry.seal(organization);
        entry.insert(organization, &mut *self.0.connection).await?;
        Ok(AuditEntryId::from_uuid(entry.id))
    }

    /// Entries that match, newest first.
    pub async fn list(&mut self, filter: &Filter, page: &PageRequest<i64>) -> Result<Page<AuditEntry>> {
        let rows: Vec<Entry> = sqlx::query_as(
            "select id, number, actor_kind, actor_id, action, resource_type, resource_id, details::text, ip, request_id,
                    salt, details_digest, previous_hash, hash, created_at
             from audit_log
             where organization_id = $1 and number < $2
               and ($3::uuid is null or actor_id = $3)
               and ($4::text is null or action = $4)
               and ($5::text is null or resource_type = $5)
               and ($6::uuid is null or resource_id = $6)
               and ($7::timestamptz is null or created_at >= $7)
               and ($8::timestamptz is null or created_at < $8)
             order by number desc limit $9",
        )
        .bind(self.0.organization.uuid())
        .bind(page.after.unwrap_or(i64::MAX))
        .bind(filter.actor)
        .bind(&filter.action)
        .bind(&filter.resource_type)
        .bind(filter.resource_id)
        .bind(filter.since)
        .bind(filter.until)
        .bind(page.rows())
        .fetch_all(&mut *self.0.connection)
        .await?;
        let page = Page::from_rows(rows, page.limit, |row| row.number);
        Ok(Page {
            items: page.items.into_iter().map(read).collect::<Result<_>>()?,
            next_cursor: page.next_cursor,
        })
    }

    /// Walks the whole chain and proves it, or names the first entry that breaks it. Memory does not grow with the log.
    pub async fn verify(&mut self) -> Result<Verified> {
        verify::verify(&mut *self.0.connection, self.0.organization).await
    }
}

/// The audit logs of all organisations.
#[derive(Debug)]
pub struct SystemAudit<'a>(SystemScope<'a>);

impl SystemAudit<'_> {
    /// Erases details and addresses of what a person did in an organisation; that they did it stays. Returns how many entries.
    pub async fn erase(&mut self, organization: OrganizationId, actor: Uuid) -> Result<u64> {
        let erased = sqlx::query(
            "update audit_log set details = null, ip = null, salt = null
             where organization_id = $1 and actor_id = $2 and salt is not null",
        )
        .bind(organization.uuid())
        .bind(actor)
        .execute(&mut *self.0.connection)
        .await?;
        Ok(erased.rows_affected())
    }

    /// Makes the log's partitions for this month and the two after it.
    pub(crate) async fn prepare_months(&mut self) -> Result<()> {
        sqlx::query("select ensure_month_partitions('audit_log', $1::date, 3)")
            .bind(self.0.environment.now().date_naive())
            .execute(&mut *self.0.connection)
            .await?;
        Ok(())
    }
}

fn split(actor: Actor) -> (&'static str, Option<Uuid>) {
    match actor {
        Actor::User(id) => ("user", Some(id.uuid())),
        Actor::ApiKey(id) => ("api_key", Some(id.uuid())),
        Actor::System => ("system", None),
    }
}

fn read(row: Entry) -> Result<AuditEntry> {
    let actor = match (row.actor_kind.as_str(), row.actor_id) {
        ("user", Some(id)) => Actor::User(UserId::from_uuid(id)),
        ("api_key", Some(id)) => Actor::ApiKey(ApiKeyId::from_uuid(id)),
        ("system", None) => Actor::System,
        (kind, _) => return Err(Error::Corrupt(format!("unknown actor {kind} in the audit log"))),
    };
    let details = row
        .details
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Error::Corrupt(error.to_string()))?;
    Ok(AuditEntry {
        id: AuditEntryId::from_uuid(row.id),
        number: row.number,
        actor,
        action: row.action,
        resource_type: row.resource_type,
        resource_id: row.resource_id,
        details,
        ip: row.ip,
        request_id: row.request_id,
        created_at: row.created_at,
    })
}
