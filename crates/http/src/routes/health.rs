//! Whether the server lives and whether it can serve.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::problem::Problem;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/healthz", tag = "Operations", security(()), responses((status = 200, description = "Alive")))]
async fn live() -> &'static str {
    "alive"
}

/// Whether requests can be served: the database answers.
#[utoipa::path(get, path = "/readyz", tag = "Operations", security(()),
    responses((status = 200, description = "Ready"), (status = 503, description = "Not ready", body = crate::problem::ProblemDocument)))]
async fn ready(State(state): State<AppState>) -> Result<&'static str, Problem> {
    state.app.ping().await?;
    Ok("ready")
}
