//! A language model that says what it was told to say.

use std::sync::{Arc, Mutex};

use amebo_knowledge::provider::{Completion, Delta, Deltas, Error, LanguageModel, Request, Stop, Usage};
use async_trait::async_trait;
use futures::{StreamExt, stream};

#[derive(Debug)]
pub(crate) struct Script {
    pieces: Vec<String>,
    error: Option<fn() -> Error>,
    asked: Mutex<Option<Request>>,
}

impl Script {
    pub(crate) fn says(pieces: &[&str]) -> Arc<Self> {
        Self::new(pieces, None)
    }

    /// Fails after these pieces.
    pub(crate) fn fails(pieces: &[&str], error: fn() -> Error) -> Arc<Self> {
        Self::new(pieces, Some(error))
    }

    fn new(pieces: &[&str], error: Option<fn() -> Error>) -> Arc<Self> {
        let pieces = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        Arc::new(Self {
            pieces,
            error,
            asked: Mutex::new(None),
        })
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked.lock().unwrap().is_some()
    }

    /// What it was asked.
    pub(crate) fn request(&self) -> Request {
        self.asked.lock().unwrap().clone().unwrap()
    }
}

#[async_trait]
impl LanguageModel for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    async fn complete(&self, request: &Request) -> Result<Deltas, Error> {
        *self.asked.lock().unwrap() = Some(request.clone());
        if self.pieces.is_empty()
            && let Some(error) = self.error
        {
            return Err(error());
        }
        let end = match self.error {
            Some(error) => Err(error()),
            None => Ok(Delta::Done(Completion {
                model: "script".to_owned(),
                stop: Stop::End,
                usage: Usage {
                    input: 100,
                    cached: 0,
                    output: 7,
                },
            })),
        };
        let texts = self
            .pieces
            .clone()
            .into_iter()
            .map(|piece| Ok(Delta::Text(piece)));
        Ok(stream::iter(texts.chain([end])).boxed())
    }
}
