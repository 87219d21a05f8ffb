//! Every route, one module per resource. A new route appears in the API description by being registered here, and the generated
//! tests over that description then demand that it is covered.

mod analytics;
mod answer;
mod api_key;
mod audience;
mod audit;
mod authentication;
mod branding;
mod channel_connection;
mod channel_identity;
mod chat_completion;
mod dashboard;
mod document;
mod evaluation;
mod feedback;
mod health;
mod invitation;
mod knowledge_base;
mod mcp;
mod me;
mod member;
mod operator;
mod organization;
mod provider;
mod question;
mod reference;
mod search;
mod session;
mod slack;
mod slack_channel;
mod slack_import;
mod source;
mod start;
mod workspace;

use axum::Router;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::openapi::Base;

/// Where platforms reach Amebo. No part of the API: their requests are signed, of a shape of their own, and made once by their own ids.
pub(crate) fn doors() -> Router<AppState> {
    slack::routes()
}

pub(crate) fn all() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Base::openapi())
        .merge(health::routes())
        .merge(start::routes())
        .merge(dashboard::routes())
        .merge(reference::routes())
        .merge(chat_completion::routes())
        .merge(mcp::routes())
        .nest("/api/v1", version_1())
}

fn version_1() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(authentication::routes())
        .merge(knowledge_base::routes())
        .merge(document::routes())
        .merge(source::routes())
        .merge(me::routes())
        .merge(organization::routes())
        .merge(branding::routes())
        .merge(member::routes())
        .merge(invitation::routes())
        .merge(api_key::routes())
        .merge(audit::routes())
        .merge(question::routes())
        .merge(audience::routes())
        .merge(feedback::routes())
        .merge(search::routes())
        .merge(session::routes())
        .merge(analytics::routes())
        .merge(provider::routes())
        .merge(channel_connection::routes())
        .merge(channel_identity::routes())
        .merge(workspace::routes())
        .merge(evaluation::routes())
        .merge(slack_channel::routes())
        .merge(slack_import::routes())
        .merge(operator::routes())
}
