//! Access tokens: JWT (RFC 7519), HS256, 30 minutes. They say who somebody is and nothing about what they may do, which is read
//! from the database at each request.

use std::fmt;

use amebo_core::Environment;
use amebo_core::id::UserId;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How long an access token serves.
const LIFETIME: TimeDelta = TimeDelta::minutes(30);

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    iat: i64,
    exp: i64,
}

/// Issues and verifies access tokens.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    environment: Environment,
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Tokens under one key of at least 32 bytes.
    pub fn new(key: &SecretBox<[u8]>, environment: Environment) -> Self {
        let key = key.expose_secret();
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            environment,
        }
    }

    /// A token for a person.
    pub fn issue(&self, user: UserId) -> Result<String> {
        let now = self.environment.now();
        let claims = Claims {
            sub: user,
            iat: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::internal)
    }

    /// The person a token was made for.
    pub fn verify(&self, token: &str) -> Result<UserId> {
        let mut validation = Validation::new(Algorithm::HS256);
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
        Ok(claims.sub)
    }
}
