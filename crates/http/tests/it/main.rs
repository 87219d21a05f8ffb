//! The HTTP service as a caller sees it, on a real database.

#[cfg(test)]
mod account;
#[cfg(test)]
mod api_key;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod branding;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod chat_completion;
#[cfg(test)]
mod description;
#[cfg(test)]
mod device;
#[cfg(test)]
mod document;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod ingest;
#[cfg(test)]
mod invitation;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod knowledge_base;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod member;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod question;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod session;
#[cfg(test)]
mod share;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod slack;
#[cfg(test)]
mod slack_import;
#[cfg(test)]
mod source;
#[cfg(test)]
mod suspension;
