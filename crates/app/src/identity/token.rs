//! Access tokens: JWT (RFC 7519), HS256, 30 minutes. They name a person's device and nothing about what the person may do, which is
//! read from the database at each request. And the tokens that prove a request from a browser to come from our own pages.

use std::fmt;

use amebo_core::Environment;
use amebo_core::id::{TokenFamilyId, UserId};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How long an access token serves.
pub const ACCESS_LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// What the tokens are for; one made for something else is refused.
const AUDIENCE: &str = "amebo:access";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    /// The device: signing it out ends the token.
    sid: TokenFamilyId,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Issues and verifies access tokens and the tokens against cross-site requests.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    csrf: hmac::Key,
    environment: Environment,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens under one key of at least 32 bytes.
    pub fn new(key: &SecretBox<[u8]>, environment: Environment) -> Self {
        let key = key.expose_secret();
        let csrf = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"amebo csrf key 1");
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            csrf: hmac::Key::new(hmac::HMAC_SHA256, csrf.as_ref()),
            environment,
        }
    }

    /// An access token for a person on a device.
    pub fn issue_access(&self, user: UserId, device: TokenFamilyId) -> Result<String> {
        let now = self.environment.now();
        let claims = Claims {
            sub: user,
            sid: device,
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            exp: (now + ACCESS_LIFETIME).timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::internal)
    }

    /// The device an access token was made for.
    pub fn verify_access(&self, token: &str) -> Result<TokenFamilyId> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        // The library would read the machine's clock; expiry is judged by ours below.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|_| Error::Unauthenticated("the access token is not valid; sign in again"))?
            .claims;
        if claims.exp <= self.environment.now().timestamp() {
            return Err(Error::Unauthenticated(
                "the access token has expired; refresh it or sign in again",
            ));
        }
        Ok(claims.sid)
    }

    /// What a page of ours sends along with cookies, which no other site can know. It belongs to one device.
    pub fn csrf(&self, device: TokenFamilyId) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.csrf, device.to_string().as_bytes()))
    }

    /// Whether `token` is the one of this device.
    pub fn csrf_is_of(&self, token: &str, device: TokenFamilyId) -> bool {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|tag| hmac::verify(&self.csrf, device.to_string().as_bytes(), &tag).is_ok())
    }
}
