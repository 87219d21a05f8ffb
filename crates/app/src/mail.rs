//! Letters to people, by SMTP when it is configured. Nothing depends on a letter's arrival: every link can also be handed over.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use minijinja::{AutoEscape, UndefinedBehavior, context};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio_util::task::TaskTracker;
use url::Url;

/// How long one letter may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How mail is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The mail server: `smtps://user:password@host`, or `smtp://host:587?tls=required`.
    pub url: SecretString,
    /// The sender, such as `Amebo <amebo@example.com>`.
    pub from: String,
}

/// Mail cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server's address is wrong.
    #[error("mail.url is not an address such as smtps://user:password@host")]
    Url(#[source] lettre::transport::smtp::Error),
    /// The sender is wrong.
    #[error("mail.from is not a sender such as Amebo <amebo@example.com>")]
    From(#[source] lettre::address::AddressError),
}

/// What is written to people.
#[derive(Debug, Clone)]
pub(crate) enum Letter {
    /// An invitation to join an organisation.
    Invitation {
        organization: String,
        inviter: String,
        link: Url,
    },
    /// A link to choose a new password.
    PasswordReset { name: String, link: Url },
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The mail server took it.
    Sent,
    /// The mail server did not take it; hand the link over yourself.
    Failed,
    /// No mail server is configured; hand the link over yourself.
    NotConfigured,
}

/// Sends letters.
#[derive(Debug)]
pub struct Mailer {
    post: Option<Post>,
    tasks: TaskTracker,
}

#[derive(Debug, Clone)]
struct Post {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer; without configuration it sends nothing.
    pub fn new(config: Option<&Config>) -> Result<Self, Error> {
        let post = config
            .map(|config| {
                let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(config.url.expose_secret())
                    .map_err(Error::Url)?
                    .timeout(Some(TIMEOUT))
                    .build();
                let from = config.from.parse().map_err(Error::From)?;
                Ok(Post { transport, from })
            })
            .transpose()?;
        Ok(Self {
            post,
            tasks: TaskTracker::new(),
        })
    }

    /// Whether letters are sent at all.
    pub fn is_configured(&self) -> bool {
        self.post.is_some()
    }

    /// Sends a letter and waits until the mail server has taken it.
    pub(crate) async fn send(&self, to: &str, letter: &Letter) -> Delivery {
        match &self.post {
            Some(post) => post.send(to, letter).await,
            None => Delivery::NotConfigured,
        }
    }

    /// Sends a letter in the background.
    pub(crate) fn send_later(&self, to: String, letter: Letter) {
        if let Some(post) = self.post.clone() {
            self.tasks.spawn(async move { post.send(&to, &letter).await });
        }
    }

    /// Waits for the letters under way.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Post {
    async fn send(&self, to: &str, letter: &Letter) -> Delivery {
        let sent: Result<(), Box<dyn std::error::Error + Send + Sync>> = async {
            let (subject, body) = letter.render()?;
            let message = Message::builder()
                .from(self.from.clone())
                .to(to.parse()?)
                .subject(subject)
                .body(body)?;
            self.transport.send(message).await?;
            Ok(())
        }
        .await;
        match sent {
            Ok(()) => Delivery::Sent,
            Err(error) => {
                tracing::warn!(
                    error = error.as_ref() as &dyn std::error::Error,
                    "a letter could not be sent"
                );
                Delivery::Failed
            }
        }
    }
}

impl Letter {
    /// Subject and body.
    fn render(&self) -> Result<(String, String), minijinja::Error> {
        let mut templates = minijinja::Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_auto_escape_callback(|_| AutoEscape::None);
        let text = match self {
            Self::Invitation {
                organization,
                inviter,
                link,
            } => templates.render_str(
                include_str!("mail/invitation.txt"),
                context! { organization, inviter, link => link.as_str() },
            ),
            Self::PasswordReset { name, link } => templates.render_str(
                include_str!("mail/password_reset.txt"),
                context! { name, link => link.as_str() },
            ),
        }?;
        let (subject, body) = text.split_once('\n').unwrap_or((&text, ""));
        Ok((subject.to_owned(), body.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_begins_with_its_subject_and_carries_the_link() {
        let letter = Letter::Invitation {
            organization: "Tools & Sons".to_owned(),
            inviter: "Olu".to_owned(),
            link: "https://amebo.example/accept#token=abc".parse().unwrap(),
        };
        let (subject, body) = letter.render().unwrap();
        assert_eq!(subject, "Tools & Sons invites you to Amebo");
        assert!(body.contains("https://amebo.example/accept#token=abc"));
    }

    #[test]
    fn a_wrong_server_address_is_refused_when_starting() {
        let config = Config {
            url: "http://example.com".into(),
            from: "amebo@example.com".to_owned(),
        };
        assert!(matches!(Mailer::new(Some(&config)), Err(Error::Url(_))));
    }
}
