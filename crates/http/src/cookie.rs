//! The cookies of a browser's session.
//!
//! The access token and the refresh token are out of reach of scripts (`HttpOnly`) and are not sent from other sites (`SameSite`). Over
//! https they are `Secure`. The third cookie is there to be read by our pages, which send it back as a header ([`CSRF_HEADER`]) with
//! whatever changes something; another site can neither read it nor guess it, since it is derived from the device.

use amebo_app::identity::{ACCESS_LIFETIME, Session};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use crate::AppState;

/// Carries the access token.
pub(crate) const ACCESS: &str = "amebo_access";
/// Carries the refresh token, to the sign-in routes only.
pub(crate) const REFRESH: &str = "amebo_refresh";
/// Carries what our pages send back in [`CSRF_HEADER`].
pub(crate) const CSRF: &str = "amebo_csrf";
/// Proves that a request came from one of our pages.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// Where the refresh token is sent.
const REFRESH_PATH: &str = "/api/v1/auth";

/// Puts a session into cookies.
pub(crate) fn set(jar: CookieJar, state: &AppState, session: &Session) -> CookieJar {
    let access = cookie(state, ACCESS, session.access_token.clone(), "/", ACCESS_LIFETIME);
    let refresh = cookie(
        state,
        REFRESH,
        session.refresh_token.clone(),
        REFRESH_PATH,
        amebo_app::identity::DEVICE_LIFETIME,
    );
    let mut csrf = cookie(
        state,
        CSRF,
        session.csrf_token.clone(),
        "/",
        amebo_app::identity::DEVICE_LIFETIME,
    );
    csrf.set_http_only(false);
    jar.add(access).add(refresh).add(csrf)
}

/// Takes a session's cookies away.
pub(crate) fn clear(mut jar: CookieJar, state: &AppState) -> CookieJar {
    for (name, path) in [(ACCESS, "/"), (REFRESH, REFRESH_PATH), (CSRF, "/")] {
        jar = jar.add(cookie(
            state,
            name,
            String::new(),
            path,
            chrono::TimeDelta::zero(),
        ));
    }
    jar
}

fn cookie(
    state: &AppState,
    name: &'static str,
    value: String,
    path: &'static str,
    lifetime: chrono::TimeDelta,
) -> Cookie<'static> {
    Cookie::build((name, value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(state.app.public_url().scheme() == "https")
        .max_age(time::Duration::seconds(lifetime.num_seconds()))
        .build()
}
