//! The API description (OpenAPI 3.1), made from the handlers.

use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};

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
    modifiers(&Credentials)
)]
pub(crate) struct Base;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An access token or an API key"))
            .build();
        let cookie = ApiKeyValue::with_description(
            crate::cookie::ACCESS,
            "Set by signing in with `cookies: true`. What changes something also needs the header X-CSRF-Token with the value of the \
             cookie amebo_csrf",
        );
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        description.security = Some(
            ["bearer", "cookie"]
                .map(|name| SecurityRequirement::new(name, [""; 0]))
                .into(),
        );
    }
}
