//! Who calls: accounts, devices, credentials.
//!
//! Every credential is looked up in the database at every request, so nothing has to be waited for when somebody is shut out: an access
//! token names a device, and the device, the person, the place and the organisation must all still be good.

mod account;
mod device;
mod field;
mod first;
mod password;
mod password_reset;
mod token;

use amebo_core::id::{OrganizationId, UserId};
use amebo_store::{API_KEY_PREFIX, Access, Person, RequestOrigin};
use serde::{Deserialize, Serialize};
use url::Url;

pub use amebo_store::{DEVICE_LIFETIME, Device, Membership, User};

pub use account::{Account, SignUp, SignedUp};
pub use device::Session;
pub(crate) use field::Fields;
pub use password::Passwords;
pub use token::{ACCESS_LIFETIME, Tokens};

use crate::{App, Error, Result};

/// How people come to Amebo.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where people reach this server; links lead there, and cookies are marked `Secure` when it is https.
    pub public_url: Url,
    /// Whether anybody may start an organisation. When not, the operator makes them.
    pub sign_up: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: local(),
            sign_up: true,
        }
    }
}

#[expect(clippy::expect_used, reason = "the text is a constant; a test parses it")]
fn local() -> Url {
    Url::parse("http://127.0.0.1:8080").expect("the constant is an address")
}

/// Somebody whose credential was good.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A signed-in person, who may belong to several organisations.
    Person(Person),
    /// A program with an API key, which opens one organisation.
    Program(Access),
}

impl App {
    /// Who sends this with a request as `Authorization: Bearer …`: an access token or an API key.
    pub async fn authenticate(&self, bearer: &str, request: RequestOrigin) -> Result<Caller> {
        if bearer.starts_with(API_KEY_PREFIX) {
            return self
                .store
                .access_of_api_key(bearer)
                .await?
                .map(|access| Caller::Program(access.from_request(request)))
                .ok_or(Error::Unauthenticated(
                    "the API key is not valid; it may have been revoked or have expired",
                ));
        }
        self.authenticate_cookie(bearer, request)
            .await
            .map(Caller::Person)
    }

    /// Who sends this with a request in the access cookie, which holds an access token and nothing else.
    pub async fn authenticate_cookie(&self, token: &str, request: RequestOrigin) -> Result<Person> {
        let device = self.tokens.verify_access(token)?;
        self.store
            .person(device)
            .await?
            .map(|person| person.from_request(request))
            .ok_or(Error::Unauthenticated("this device is signed out; sign in again"))
    }

    /// Proof of what a caller may do in an organisation. Somebody else's organisation does not exist for them.
    pub async fn access_of(&self, caller: Caller, organization: OrganizationId) -> Result<Access> {
        match caller {
            Caller::Person(person) => {
                let access = self.access(person.user, organization).await?;
                Ok(match person.request() {
                    Some(request) => access.from_request(request),
                    None => access,
                })
            }
            Caller::Program(access) if access.organization() == organization => Ok(access),
            Caller::Program(_) => Err(Error::NotFound("organization")),
        }
    }

    /// Proof of what a person may do in an organisation. Somebody else's organisation does not exist for them.
    pub async fn access(&self, user: UserId, organization: OrganizationId) -> Result<Access> {
        self.store
            .access_of_user(user, organization)
            .await?
            .ok_or(Error::NotFound("organization"))
    }

    /// Where people reach this server.
    pub fn public_url(&self) -> &Url {
        &self.identity.public_url
    }

    /// A page of the dashboard with a secret in the fragment, which browsers send to nobody.
    pub(crate) fn link(&self, page: &str, token: &str) -> Url {
        let mut url = self.identity.public_url.clone();
        url.set_path(page);
        url.set_query(None);
        url.set_fragment(Some(&format!("token={token}")));
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_configuration_people_reach_amebo_on_this_machine() {
        assert_eq!(Config::default().public_url.as_str(), "http://127.0.0.1:8080/");
    }
}
