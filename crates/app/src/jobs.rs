//! What the worker can do.

use std::sync::Arc;

use amebo_store::blob::Remover;
use amebo_store::job::{Registry, Settings, Worker};
use amebo_store::sealing::Resealer;

use crate::App;
use crate::channel::deliver::DeliverHandler;
use crate::channel::receive::ReceiveHandler;
use crate::evaluation::ReplayHandler;
use crate::ingest::{EmbedHandler, IngestHandler};
use crate::mirror::{
    ComposeHandler, FetchFilesHandler, FollowChannelHandler, FollowWorkspaceHandler, ImportSlackHandler,
};
use crate::slack::people::KnowPeopleHandler;
use crate::source::ReadSourceHandler;

impl App {
    /// The handlers of every kind of job.
    pub fn handlers(self: &Arc<Self>) -> Registry {
        Registry::default()
            .with(IngestHandler(Arc::clone(self)))
            .with(EmbedHandler(Arc::clone(self)))
            .with(ReadSourceHandler(Arc::clone(self)))
            .with(ReplayHandler(Arc::clone(self)))
            .with(ComposeHandler(Arc::clone(self)))
            .with(FetchFilesHandler(Arc::clone(self)))
            .with(ImportSlackHandler(Arc::clone(self)))
            .with(FollowWorkspaceHandler(Arc::clone(self)))
            .with(FollowChannelHandler(Arc::clone(self)))
            .with(KnowPeopleHandler(Arc::clone(self)))
            .with(ReceiveHandler(Arc::clone(self)))
            .with(DeliverHandler(Arc::clone(self)))
            .with(Remover(self.storage.clone()))
            .with(Resealer {
                store: self.store.clone(),
                sealer: self.sealer.clone(),
            })
    }

    /// A worker that does every kind of job.
    pub fn worker(self: &Arc<Self>, settings: Settings) -> Worker {
        Worker::new(self.store.clone(), self.handlers(), settings)
    }
}
