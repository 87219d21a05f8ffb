//! Why whoever sees a document of a Slack channel may see it.

use amebo_core::document::Audience;
use amebo_core::id::DocumentId;
use amebo_core::permission::{Action, Resource};
use amebo_store::slack::{Insider, Outsider, SlackChannel};

use crate::{Access, App, Error, Result};

/// How many people of a channel are named.
const NAMED: u32 = 500;

/// Who may see a document, and the channel it was written down from.
#[derive(Debug, Clone)]
pub struct DocumentReaders {
    /// What decides.
    pub audience: Audience,
    /// The channel, of a document that was written down from one or is for one.
    pub channel: Option<SlackChannel>,
    /// Who of the organisation is in the channel now, at most 500 together with the others.
    pub insiders: Vec<Insider>,
    /// Who else is in the channel now; they have no place here, and see it in Slack only.
    pub outsiders: Vec<Outsider>,
}

impl App {
    /// Who may see a document of a channel, by name, as that is now; for whoever may see it.
    pub async fn document_readers(&self, access: &Access, id: DocumentId) -> Result<DocumentReaders> {
        let permit = access.permit(Resource::Document, Action::Read)?;
        let mut tx = self.store.begin(&permit).await?;
        let document = tx
            .documents()
            .fetch_for(id, Action::Read, access.reader())
            .await?
            .ok_or(Error::NotFound("document"))?;
        let channel = match document.audience {
            Audience::SlackChannel { channel } => tx.slack().channel(channel).await?,
            _ => tx.slack().channel_of(id).await?,
        };
        let (insiders, outsiders) = match &channel {
            Some(channel) => tx.slack().people_of(channel.id, NAMED).await?,
            None => (Vec::new(), Vec::new()),
        };
        tx.commit().await?;
        Ok(DocumentReaders {
            audience: document.audience,
            channel,
            insiders,
            outsiders,
        })
    }
}
