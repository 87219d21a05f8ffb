//! Letters: what reaches people's mailboxes, and what happens when nothing does.

use amebo_testkit::{MailServer, Manner, PASSWORD, Setup, TestApp};
use serde_json::{Value, json};

async fn start(mail: &MailServer) -> TestApp {
    TestApp::start_with(Setup {
        mail: Some(mail.config()),
        ..Setup::default()
    })
    .await
}

/// The token in the one link that a text carries.
fn token(text: &str, page: &str) -> String {
    let begin = format!("http://127.0.0.1:8080{page}#token=");
    let (_, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no link in {text}"));
    assert_eq!(text.matches("http").count(), 1, "{text}");
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_reaches_the_mailbox_with_a_link_that_opens_it() {
    let mail = MailServer::start(Manner::Takes).await;
    let app = start(&mail).await;
    let owner = app.owner("Acme").await;
    let name = json!({ "name": "Bücher & Söhne" });
    let _ = owner.client.patch(&owner.path(""), &name).await.expect(200);
    let invitation = json!({ "email": "Ada@People.example", "role": "agent" });
    let invited = owner
        .client
        .post(&owner.path("/invitations"), &invitation)
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&invited["delivery"], &invited["warning"]),
        (&json!("sent"), &Value::Null)
    );
    let letters = mail.letters();
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    assert_eq!(letter.to, "ada@people.example");
    assert_eq!(letter.subject, "Bücher & Söhne invites you to Amebo");
    assert!(
        letter
            .text
            .contains("Olu Owner invites you to join Bücher & Söhne")
    );
    let token = token(&letter.text, "/accept-invitation");
    assert!(invited["link"].as_str().unwrap().ends_with(&token));
    let accepted = json!({ "token": token, "name": "Ada", "password": PASSWORD });
    let accepted = app
        .anonymous()
        .post("/api/v1/auth/invitation/accept", &accepted)
        .await;
    let session = accepted.expect(200).json();
    let ada = app.anonymous().with_bearer(session["access_token"].as_str());
    assert_eq!(
        ada.get(&owner.path("")).await.expect(200).json()["your_role"],
        "agent"
    );
}

#[tokio::test]
async fn a_password_link_reaches_the_mailbox_of_the_account_and_no_other() {
    let mail = MailServer::start(Manner::Takes).await;
    let app = start(&mail).await;
    let owner = app.owner("Acme").await;
    for email in ["nobody@people.example", &owner.email] {
        let _ = app
            .anonymous()
            .post("/api/v1/auth/password-reset", &json!({ "email": email }))
            .await
            .expect(202);
    }
    let letter = mail.letter_to(&owner.email).await;
    app.app.finish().await;
    assert_eq!(mail.letters().len(), 1, "nobody else is written to");
    assert_eq!(letter.subject, "Choose a new password for Amebo");
    let password = "another correct horse battery";
    let reset = json!({ "token": token(&letter.text, "/reset-password"), "password": password });
    let guest = app.anonymous();
    let _ = guest.put("/api/v1/auth/password", &reset).await.expect(204);
    let credentials = |password: &str| json!({ "email": owner.email, "password": password });
    let old = guest.post("/api/v1/auth/sign-in", &credentials(PASSWORD)).await;
    assert_eq!(old.expect(401).problem(), "unauthenticated");
    let new = guest.post("/api/v1/auth/sign-in", &credentials(password)).await;
    let _ = new.expect(200);
}

#[tokio::test]
async fn when_the_mail_server_fails_the_invitation_stands_and_says_what_to_do() {
    let gone = MailServer::start(Manner::Takes).await;
    let config = gone.config();
    gone.stop().await;
    let refusing = MailServer::start(Manner::Refuses).await;
    let hanging_up = MailServer::start(Manner::HangsUp).await;
    for mail in [config, refusing.config(), hanging_up.config()] {
        let app = TestApp::start_with(Setup {
            mail: Some(mail),
            ..Setup::default()
        })
        .await;
        let owner = app.owner("Acme").await;
        let invitation = json!({ "email": "ada@people.example", "role": "agent" });
        let invited = owner
            .client
            .post(&owner.path("/invitations"), &invitation)
            .await
            .expect(201)
            .json();
        assert_eq!(invited["delivery"], "failed");
        assert!(
            invited["warning"]
                .as_str()
                .unwrap()
                .contains("hand the link over")
        );
        let preview = json!({ "token": token(invited["link"].as_str().unwrap(), "/accept-invitation") });
        let _ = app
            .anonymous()
            .post("/api/v1/auth/invitation/preview", &preview)
            .await
            .expect(200);
        let reset = json!({ "email": owner.email });
        let _ = app
            .anonymous()
            .post("/api/v1/auth/password-reset", &reset)
            .await
            .expect(202);
        app.app.finish().await;
    }
}
