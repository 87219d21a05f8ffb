//! The API description (OpenAPI 3.1), made from the handlers.

use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::problem::{FieldProblem, ProblemDocument};

/// The description of everything the service offers.
pub fn description() -> utoipa::openapi::OpenApi {
    crate::routes::all().into_openapi()
}

/// What the description says beyond its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Amebo",
        description = "Ask what your company already knows, with citations. Every error is a problem document (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemDocument, FieldProblem)),
    modifiers(&Bearer)
)]
pub(crate) struct Base;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token or an API key"))
            .build();
        description
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}
