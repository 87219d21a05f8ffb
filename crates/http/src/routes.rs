//! Every route, one module per resource. A new route appears in the API description by being registered here, and the generated
//! tests over that description then demand that it is covered.

mod authentication;
mod health;

use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::AppState;
use crate::openapi::Base;

pub(crate) fn all() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Base::openapi())
        .merge(health::routes())
        .nest("/api/v1", OpenApiRouter::new().merge(authentication::routes()))
}
