//! Embedding models: endpoints that behave and that do not, the models that can be installed, and their installation.

mod granite;
mod install;
mod multilingual;
mod remote;
