//! Doing what an accepted webhook is about.

use std::sync::Arc;

use amebo_core::channel::{ChannelKind, InboundState};
use amebo_core::id::InboundEventId;
use amebo_store::Permit;
use amebo_store::inbound_event::{InboundEvent, Receive};
use amebo_store::job::{Handler, Lease, Outcome};
use amebo_store::sealing::INBOUND_BODY;
use zeroize::Zeroizing;

use crate::{App, Error, Result};

/// Handles [`Receive`].
pub(crate) struct ReceiveHandler(pub(crate) Arc<App>);

/// A stored webhook, opened.
pub(crate) struct Received {
    pub(crate) event: InboundEvent,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Handler for ReceiveHandler {
    type Task = Receive;

    async fn run(&self, task: Receive, lease: Lease) -> Outcome {
        match self.receive(&task, &lease).await {
            Ok(()) => Outcome::Done,
            Err(Error::RateLimited { after }) => Outcome::Snooze(after),
            Err(error) => {
                tracing::warn!(
                    event = %task.event,
                    attempt = lease.attempt(),
                    error = &error as &dyn std::error::Error,
                    "an event could not be dealt with"
                );
                Outcome::retry(error)
            }
        }
    }
}

impl ReceiveHandler {
    async fn receive(&self, task: &Receive, lease: &Lease) -> Result<()> {
        let Some(received) = self.0.received(&lease.permit(), task.event).await? else {
            // It was erased with its connection.
            return Ok(());
        };
        if received.event.state != InboundState::Accepted {
            return Ok(());
        }
        match received.event.provider {
            ChannelKind::Slack => Box::pin(self.0.do_slack(lease, &received)).await,
            other => Err(Error::Conflict(format!(
                "nothing is done about events of {other} yet"
            ))),
        }
    }
}

impl App {
    /// A stored webhook, opened; `None` when it is gone.
    pub(crate) async fn received(&self, permit: &Permit, id: InboundEventId) -> Result<Option<Received>> {
        let mut tx = self.store.begin(permit).await?;
        let Some(event) = tx.inbound_events().by_id(id).await? else {
            return Ok(None);
        };
        let body = tx
            .secrets(&self.sealer)
            .open_content(INBOUND_BODY.row(id), &event.body)
            .await
            .map_err(Error::internal)?;
        tx.commit().await?;
        Ok(Some(Received { event, body }))
    }
}
