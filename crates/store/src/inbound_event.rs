//! Accepted webhooks: stored with their jobs, many in one statement, before anybody is told that they were accepted.
//!
//! What must hold: a webhook whose platform, account and event id are there already is a repetition and gets no second job; one that
//! was signed with an organisation's own secret reaches that organisation's connection and no other; the body is sealed.

use std::collections::HashMap;

use amebo_core::channel::{ChannelKind, ConnectionStatus, InboundState};
use amebo_core::id::{ChannelConnectionId, Id, InboundEventId, OrganizationId};
use amebo_core::job::Priority;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::channel_connection::Claimed;
use crate::error::{Result, parse};
use crate::job::{self, NewJob, Task};
use crate::sealing::{self, INBOUND_BODY, Sealer};
use crate::signal::Topic;
use crate::transaction::{Scope, SystemScope};
use crate::{OrgTx, Store, SystemTx};

/// How long accepted webhooks are kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Does what a webhook is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Receive {
    /// Which one.
    pub event: InboundEventId,
}

impl Task for Receive {
    const KIND: &'static str = "channel.receive";
    const PRIORITY: Priority = Priority::Normal;
    const MAX_ATTEMPTS: u16 = 8;
}

/// Whose secret a webhook was signed with.
#[derive(Debug, Clone)]
pub enum SignedWith {
    /// The server's app: for any account connected through it.
    ServersApp,
    /// An organisation's own app: for that connection alone.
    OwnApp(Claimed),
}

/// A webhook that was found to come from its platform.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The platform.
    pub provider: ChannelKind,
    /// Whose secret it was signed with.
    pub signed_with: SignedWith,
    /// The accounts that may have sent it, the likeliest first: a workspace, then the organisation around it.
    pub accounts: Vec<String>,
    /// What makes a repetition a repetition.
    pub external_id: String,
    /// What it is about, as the platform calls it.
    pub kind: String,
    /// The request's body.
    pub body: Vec<u8>,
    /// What it is to be kept in order with, at most 150 characters.
    pub lane: Option<String>,
    /// Which work goes first.
    pub priority: Priority,
    /// When somebody who waits must have seen an outcome.
    pub deadline: Option<DateTime<Utc>>,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored, and its job with it.
    Accepted,
    /// It was stored before.
    Repeated,
    /// No connected account sent it.
    UnknownAccount,
    /// The account was disconnected.
    Disconnected(ChannelConnectionId),
}

/// A stored webhook.
#[derive(Debug, Clone)]
pub struct InboundEvent {
    /// The event.
    pub id: InboundEventId,
    /// The connected account.
    pub connection: ChannelConnectionId,
    /// The platform.
    pub provider: ChannelKind,
    /// The account's id on the platform.
    pub account: String,
    /// What makes a repetition a repetition.
    pub external_id: String,
    /// What it is about, as the platform calls it.
    pub kind: String,
    /// The request's body, sealed.
    pub body: Vec<u8>,
    /// What became of it.
    pub state: InboundState,
    /// When somebody who waits must have seen an outcome.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
}

/// Where webhooks go.
#[derive(Debug, Clone)]
struct Route {
    connection: ChannelConnectionId,
    organization: OrganizationId,
    account: String,
    status: ConnectionStatus,
}

type RouteRow = (Uuid, Uuid, String, String, bool);

impl Store {
    /// Stores webhooks with their jobs, in one transaction, and tells what became of each, in their order.
    pub async fn accept(
        &self,
        sealer: &Sealer,
        webhooks: &[Webhook],
    ) -> Result<Vec<Receipt>, sealing::Error> {
        let routes = self.routes(webhooks).await?;
        let mut receipts = vec![Receipt::UnknownAccount; webhooks.len()];
        let mut organizations: Vec<OrganizationId> = Vec::new();
        for (receipt, route) in receipts.iter_mut().zip(&routes) {
            match route {
                Some(route) if route.status.accepts_events() => organizations.push(route.organization),
                Some(route) => *receipt = Receipt::Disconnected(route.connection),
                None => {}
            }
        }
        if organizations.is_empty() {
            return Ok(receipts);
        }
        organizations.sort_unstable();
        organizations.dedup();
        let keys = sealer.active_keys(&organizations).await?;
        let environment = self.environment();
        let mut columns = Columns::default();
        let mut places: HashMap<Uuid, usize> = HashMap::new();
        for (place, (webhook, route)) in webhooks.iter().zip(&routes).enumerate() {
            let Some(route) = route.as_ref().filter(|route| route.status.accepts_events()) else {
                continue;
            };
            let Some(key) = keys.get(&route.organization) else {
                continue;
            };
            let id = environment.id::<InboundEventId>();
            let sealed = key.seal(INBOUND_BODY.row(id), &webhook.body, environment)?;
            receipts[place] = Receipt::Repeated;
            places.insert(id.uuid(), place);
            columns.push(id, webhook, route, sealed);
        }
        let mut tx = self.begin_system().await?;
        let inserted = tx.insert_inbound(columns).await?;
        let mut jobs = Vec::with_capacity(inserted.len());
        for id in inserted {
            let Some((place, route)) = places
                .get(&id)
                .and_then(|place| Some((*place, routes[*place].as_ref()?)))
            else {
                continue;
            };
            receipts[place] = Receipt::Accepted;
            let task = Receive {
                event: InboundEventId::from_uuid(id),
            };
            let mut job = NewJob::of(&task).priority(webhooks[place].priority);
            if let Some(lane) = &webhooks[place].lane {
                job = job.lane(format!("channel {} {lane}", route.connection));
            }
            jobs.push((route.organization, job));
        }
        let SystemScope {
            connection,
            environment,
        } = tx.scope();
        let pushed = job::push(connection, environment, jobs).await?;
        tx.commit().await?;
        if !pushed.is_empty() {
            self.raise(Topic::Jobs);
        }
        Ok(receipts)
    }

    async fn routes(&self, webhooks: &[Webhook]) -> Result<Vec<Option<Route>>> {
        let Some(provider) = webhooks.first().map(|webhook| webhook.provider) else {
            return Ok(Vec::new());
        };
        let mut accounts: Vec<&str> = webhooks
            .iter()
            .flat_map(|webhook| webhook.accounts.iter().map(String::as_str))
            .collect();
        accounts.sort_unstable();
        accounts.dedup();
        // Account by account, which leaves no choice but the index of accounts; and planned anew each time, since a plan kept from when
        // few were connected reads all of them for ever.
        let rows: Vec<RouteRow> = sqlx::query_as(
            "select known.id, known.organization_id, known.external_account_id, known.status, known.own
             from unnest($2::text[]) as wanted (account)
             cross join lateral (select id, organization_id, external_account_id, status, sealed_app is not null as own
                                 from channel_connections where kind = $1 and external_account_id = wanted.account offset 0) as known
             order by known.status in ('active', 'needs_attention') desc, known.id desc",
        )
        .bind(provider.as_str())
        .bind(accounts)
        .persistent(false)
        .fetch_all(self.system_pool())
        .await?;
        let mut shared: HashMap<String, Route> = HashMap::new();
        let mut own: HashMap<(Uuid, String), Route> = HashMap::new();
        for (id, organization, account, status, has_own_app) in rows {
            let route = Route {
                connection: ChannelConnectionId::from_uuid(id),
                organization: OrganizationId::from_uuid(organization),
                account: account.clone(),
                status: parse(&status)?,
            };
            if has_own_app {
                own.insert((id, account), route);
            } else {
                shared.entry(account).or_insert(route);
            }
        }
        Ok(webhooks
            .iter()
            .map(|webhook| {
                let mut candidates =
                    webhook
                        .accounts
                        .iter()
                        .filter_map(|account| match &webhook.signed_with {
                            SignedWith::ServersApp => shared.get(account),
                            SignedWith::OwnApp(claimed) => own.get(&(claimed.id.uuid(), account.clone())),
                        });
                candidates.next().cloned()
            })
            .collect())
    }
}

/// Rows of one statement, column by column.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    organizations: Vec<Uuid>,
    connections: Vec<Uuid>,
    providers: Vec<&'static str>,
    accounts: Vec<String>,
    external_ids: Vec<String>,
    kinds: Vec<String>,
    bodies: Vec<Vec<u8>>,
    deadlines: Vec<Option<DateTime<Utc>>>,
}

impl Columns {
    fn push(&mut self, id: InboundEventId, webhook: &Webhook, route: &Route, body: Vec<u8>) {
        self.ids.push(id.uuid());
        self.organizations.push(route.organization.uuid());
        self.connections.push(route.connection.uuid());
        self.providers.push(webhook.provider.as_str());
        self.accounts.push(route.account.clone());
        self.external_ids.push(webhook.external_id.clone());
        self.kinds.push(webhook.kind.clone());
        self.bodies.push(body);
        self.deadlines.push(webhook.deadline);
    }
}

impl SystemTx {
    /// Inserts what is new, in one order for everybody, so that two groups with the same repetitions cannot wait for each other.
    async fn insert_inbound(&mut self, columns: Columns) -> Result<Vec<Uuid>> {
        let SystemScope {
            connection,
            environment,
        } = self.scope();
        Ok(sqlx::query_scalar(
            "insert into inbound_events (id, organization_id, connection_id, provider, account, external_id, kind, sealed_body, deadline,
                                         created_at, updated_at)
             select new.id, new.organization, new.connection, new.provider, new.account, new.external_id, new.kind, new.body, new.deadline,
                    $10, $10
             from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::timestamptz[])
                  as new (id, organization, connection, provider, account, external_id, kind, body, deadline)
             order by new.account, new.external_id, new.id
             on conflict on constraint inbound_events_once do nothing returning id",
        )
        .bind(columns.ids)
        .bind(columns.organizations)
        .bind(columns.connections)
        .bind(columns.providers)
        .bind(columns.accounts)
        .bind(columns.external_ids)
        .bind(columns.kinds)
        .bind(columns.bodies)
        .bind(columns.deadlines)
        .bind(environment.now())
        .fetch_all(&mut *connection)
        .await?)
    }

    /// Forgets webhooks that were accepted more than a week ago, except for when each account was last heard of.
    pub(crate) async fn prune_inbound(&mut self) -> Result<()> {
        let SystemScope {
            connection,
            environment,
        } = self.scope();
        sqlx::query(
            "with gone as (delete from inbound_events where created_at < $1 and state <> 'accepted' returning connection_id, created_at),
                  heard as (select connection_id, max(created_at) as at from gone group by connection_id)
             update channel_connections set last_event_at = heard.at from heard
             where id = heard.connection_id and (last_event_at is null or last_event_at < heard.at)",
        )
            .bind(environment.now() - KEPT)
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Pushes again the job of each webhook past its deadline whose job is gone without an outcome: somebody still waits. Returns how
    /// many.
    pub(crate) async fn revive_overdue_inbound(&mut self, limit: u32) -> Result<usize> {
        let SystemScope {
            connection,
            environment,
        } = self.scope();
        let overdue: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "select e.organization_id, e.id from inbound_events e
             where e.state = 'accepted' and e.deadline < $1
               and not exists (select from jobs j where j.organization_id = e.organization_id and j.kind = $2
                                 and j.state in ('queued', 'running') and j.payload ->> 'event' = e.id::text)
             order by e.deadline limit $3 for update of e skip locked",
        )
        .bind(environment.now())
        .bind(Receive::KIND)
        .bind(i64::from(limit))
        .fetch_all(&mut *connection)
        .await?;
        let jobs = overdue
            .into_iter()
            .map(|(organization, event)| {
                let task = Receive {
                    event: InboundEventId::from_uuid(event),
                };
                let job = NewJob::of(&task)
                    .priority(Priority::Interactive)
                    .unique(format!("overdue {event}"));
                (OrganizationId::from_uuid(organization), job)
            })
            .collect();
        Ok(job::push(connection, environment, jobs).await?.len())
    }
}

impl OrgTx {
    /// The webhooks accepted for the organisation.
    pub fn inbound_events(&mut self) -> InboundEvents<'_> {
        InboundEvents(self.scope())
    }
}

/// The webhooks accepted for one organisation.
#[derive(Debug)]
pub struct InboundEvents<'a>(Scope<'a>);

impl InboundEvents<'_> {
    /// One of them.
    pub async fn by_id(&mut self, id: InboundEventId) -> Result<Option<InboundEvent>> {
        type Row = (
            Uuid,
            String,
            String,
            String,
            String,
            Vec<u8>,
            String,
            Option<DateTime<Utc>>,
            DateTime<Utc>,
        );
        let row: Option<Row> = sqlx::query_as(
            "select connection_id, provider, account, external_id, kind, sealed_body, state, deadline, created_at from inbound_events
             where organization_id = $1 and id = $2",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .fetch_optional(&mut *self.0.connection)
        .await?;
        row.map(
            |(connection, provider, account, external_id, kind, body, state, deadline, created_at)| {
                Ok(InboundEvent {
                    id,
                    connection: ChannelConnectionId::from_uuid(connection),
                    provider: parse(&provider)?,
                    account,
                    external_id,
                    kind,
                    body,
                    state: parse(&state)?,
                    deadline,
                    created_at,
                })
            },
        )
        .transpose()
    }

    /// Notes what became of one; an error is a sentence for whoever looks after the connection.
    pub async fn settle(&mut self, id: InboundEventId, error: Option<&str>) -> Result<()> {
        let state = match error {
            None => InboundState::Processed,
            Some(_) => InboundState::Failed,
        };
        sqlx::query(
            "update inbound_events set state = $3, error = $4, updated_at = $5 where organization_id = $1 and id = $2 and state = 'accepted'",
        )
        .bind(self.0.organization.uuid())
        .bind(id.uuid())
        .bind(state.as_str())
        .bind(error.map(|text| text.chars().take(2_000).collect::<String>()))
        .bind(self.0.environment.now())
        .execute(&mut *self.0.connection)
        .await?;
        Ok(())
    }
}
