//! Embedding models: endpoints that behave and that do not, the default model, and its installation.

mod granite;
mod install;
mod remote;
