//! Sending what is in the outbox.

use std::sync::Arc;

use amebo_core::channel::ChannelKind;
use amebo_store::delivery::Deliver;
use amebo_store::job::{Handler, Lease, Outcome};

use crate::{App, Error, Result};

/// Handles [`Deliver`].
pub(crate) struct DeliverHandler(pub(crate) Arc<App>);

impl Handler for DeliverHandler {
    type Task = Deliver;

    async fn run(&self, task: Deliver, lease: Lease) -> Outcome {
        match self.deliver(&task, &lease).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(
                    delivery = %task.delivery,
                    error = &error as &dyn std::error::Error,
                    "a message could not be sent"
                );
                Outcome::retry(error)
            }
        }
    }
}

impl DeliverHandler {
    async fn deliver(&self, task: &Deliver, lease: &Lease) -> Result<Outcome> {
        let app = &self.0;
        let permit = lease.permit();
        let mut tx = app.store.begin(&permit).await?;
        let Some(delivery) = tx.deliveries().begin(task.delivery).await? else {
            return Ok(Outcome::Done);
        };
        let connection = tx.channel_connections().by_id(delivery.connection).await?;
        tx.commit().await?;
        let Some(connection) = connection else {
            return Ok(Outcome::Done);
        };
        match connection.kind {
            ChannelKind::Slack => match app.slack_workspace(&permit, &connection).await {
                Ok(workspace) => app.send_on_slack(lease, &workspace, &delivery).await,
                Err(Error::Conflict(reason)) => {
                    app.give_up_delivery(lease, &delivery, &reason).await?;
                    Ok(Outcome::Done)
                }
                Err(error) if lease.is_last_attempt() => {
                    app.give_up_delivery(lease, &delivery, &error.to_string()).await?;
                    Ok(Outcome::Done)
                }
                Err(error) => {
                    let mut tx = app.store.begin(&permit).await?;
                    let reason = error.to_string();
                    tx.deliveries()
                        .postponed(delivery.id, &reason, delivery.is_uncertain, None)
                        .await?;
                    tx.commit().await?;
                    Err(error)
                }
            },
            other => Err(Error::Conflict(format!("nothing is sent on {other} yet"))),
        }
    }
}

impl App {
    /// Gives a delivery up whose account cannot be used.
    async fn give_up_delivery(
        &self,
        lease: &Lease,
        delivery: &amebo_store::delivery::Delivery,
        reason: &str,
    ) -> Result<()> {
        let mut tx = self.store.begin(&lease.permit()).await?;
        tx.deliveries().failed(delivery.id, reason).await?;
        if let Some((message, at)) = delivery.message {
            let failed = amebo_core::channel::DeliveryStatus::Failed;
            tx.messages()
                .advance(message, at, failed, None, Some(reason))
                .await?;
        }
        tx.channel_connections()
            .note_error(delivery.connection, reason)
            .await?;
        Ok(tx.commit().await?)
    }
}
