//! The embedding models at hand.

use std::fmt;
use std::sync::Arc;

use amebo_knowledge::embed::Embedder;

/// The embedding models at hand, by name. There may be none: then passages are found by their words alone.
#[derive(Clone, Default)]
pub struct Embedders(Vec<Arc<dyn Embedder>>);

impl Embedders {
    /// These models; new knowledge bases take the first.
    pub fn new(models: Vec<Arc<dyn Embedder>>) -> Self {
        Self(models)
    }

    /// The model that new knowledge bases take.
    pub fn first(&self) -> Option<&Arc<dyn Embedder>> {
        self.0.first()
    }

    /// The model of this name.
    pub fn get(&self, model: &str) -> Option<&Arc<dyn Embedder>> {
        self.0.iter().find(|embedder| embedder.model().id == model)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|embedder| embedder.model().id.as_str())
    }
}

impl fmt::Debug for Embedders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
