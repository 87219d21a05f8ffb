use amebo_channels::Outcome;
use amebo_channels::slack::api::AppCredentials;
use amebo_channels::slack::scope::{Need, required};
use amebo_testkit::FakeSlack;
use amebo_testkit::slack::{Fault, Ids, InstallAs};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::{secret, slack, workspace};

fn credentials(slack: &FakeSlack) -> AppCredentials {
    let app = slack.world().app();
    AppCredentials {
        client_id: app.client_id,
        client_secret: secret(&app.client_secret),
    }
}

fn redirect() -> Url {
    Url::parse("https://amebo.example/channels/slack/oauth/callback").unwrap()
}

#[tokio::test]
async fn an_administrator_is_sent_to_slack_and_comes_back_with_a_code_that_works_once() {
    let (slack, _) = slack().await;
    let api = slack.api();
    let app = credentials(&slack);
    let scopes = required(&[Need::Asking]);
    let url = api.authorize_url(&app.client_id, &scopes, &redirect(), "state-1", Some(Ids::TEAM));
    let back = visit(&slack, &url).await;
    let query: std::collections::HashMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "state-1");

    let installed = api.install(&app, &query["code"], &redirect()).await.unwrap();
    assert_eq!(installed.account.connection_key(), Some(Ids::TEAM));
    let bot = installed.bot.unwrap();
    assert_eq!(bot.scopes, scopes);
    assert!(bot.refresh_token.is_some() && bot.expires_in.is_some());
    let identity = api
        .workspace(Ids::TEAM, bot.access_token)
        .auth_test()
        .await
        .unwrap();
    assert_eq!(identity.team.as_deref(), Some(Ids::TEAM));
    assert_eq!(identity.bot.as_deref(), Some(Ids::BOT));

    let again = api.install(&app, &query["code"], &redirect()).await.unwrap_err();
    assert_eq!(again.code(), Some("invalid_code"));
}

/// Goes where the browser would go, and returns where it is sent next.
async fn visit(slack: &FakeSlack, url: &Url) -> Url {
    let config = slack.outbound();
    let client = amebo_outbound::Client::new(&config, amebo_core::Environment::system()).unwrap();
    let limits = amebo_outbound::Limits {
        redirects: 0,
        ..amebo_outbound::Limits::default()
    };
    let request = amebo_outbound::Request::get(url.clone(), "test").limits(limits);
    match client.send(request).await {
        Err(amebo_outbound::Error::Redirect) => {}
        other => panic!("not sent on: {other:?}"),
    }
    // The client does not say where it did not go; the fake remembers the code it gave.
    let code = slack.world().last_code().unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let mut back = redirect();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &state);
    back
}

#[tokio::test]
async fn installations_of_every_shape_are_understood() {
    let (slack, _) = slack().await;
    slack.world().add_team("T0GRID001", "Sales", Some("E0CORP001"));
    let app = credentials(&slack);
    let install = async |install| {
        let code = slack
            .world()
            .grant_code(&app.client_id, &["chat:write", "team:read"], install);
        slack.api().install(&app, &code, &redirect()).await.unwrap()
    };
    let organization = install(InstallAs::Organization("E0CORP001".into())).await;
    assert_eq!(organization.account.connection_keys(), ["E0CORP001"]);
    assert!(organization.account.org_wide && organization.team_name.is_none());

    let in_grid = install(InstallAs::Workspace("T0GRID001".into())).await;
    assert_eq!(in_grid.account.connection_keys(), ["T0GRID001", "E0CORP001"]);

    let person = install(InstallAs::Person(Ids::TEAM.into(), Ids::USER.into())).await;
    assert!(person.bot.is_none());
    assert_eq!(person.person.unwrap().user.as_deref(), Some(Ids::USER));

    // A token of a whole organisation has to name the workspace.
    let token = organization.bot.unwrap().access_token;
    let workspace = slack.api().workspace("E0CORP001", token);
    let teams = workspace.teams(None).await.unwrap();
    assert_eq!(teams.items[0].id, "T0GRID001");
}

#[tokio::test]
async fn tokens_run_out_and_are_renewed_with_a_token_that_works_once() {
    let (slack, clock) = slack().await;
    let app = credentials(&slack);
    let code = slack.world().grant_code(
        &app.client_id,
        &["chat:write"],
        InstallAs::Workspace(Ids::TEAM.into()),
    );
    let api = slack.api();
    let first = api.install(&app, &code, &redirect()).await.unwrap().bot.unwrap();
    clock.advance(TimeDelta::hours(13));
    let old = api.workspace(Ids::TEAM, first.access_token.clone());
    assert_eq!(
        old.auth_test().await.unwrap_err().outcome,
        Outcome::CredentialExpired
    );

    let refresh = first.refresh_token.unwrap();
    let second = api.refresh(&app, &refresh).await.unwrap();
    assert_ne!(
        second.access_token.expose_secret(),
        first.access_token.expose_secret()
    );
    api.workspace(Ids::TEAM, second.access_token)
        .auth_test()
        .await
        .unwrap();
    let reused = api.refresh(&app, &refresh).await.unwrap_err();
    assert!(matches!(reused.outcome, Outcome::CredentialRevoked { .. }));
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_not_repeated_in_the_dark() {
    let (slack, _) = slack().await;
    let app = credentials(&slack);
    let code = slack.world().grant_code(
        &app.client_id,
        &["chat:write"],
        InstallAs::Workspace(Ids::TEAM.into()),
    );
    let grant = slack
        .api()
        .install(&app, &code, &redirect())
        .await
        .unwrap()
        .bot
        .unwrap();
    slack.fail("oauth.v2.access", Fault::HangUp.after_doing());
    let lost = slack
        .api()
        .refresh(&app, &grant.refresh_token.unwrap())
        .await
        .unwrap_err();
    assert!(matches!(
        lost.outcome,
        Outcome::Temporary {
            perhaps_done: true,
            ..
        }
    ));
    assert_eq!(slack.calls("oauth.v2.access").len(), 2);
}

#[tokio::test]
async fn a_token_that_lasts_becomes_one_that_is_renewed() {
    let (slack, _) = slack().await;
    let app = credentials(&slack);
    let grant = slack.api().exchange(&app, &secret(Ids::TOKEN)).await.unwrap();
    assert!(grant.refresh_token.is_some());
    assert!(matches!(
        workspace(&slack).auth_test().await.unwrap_err().outcome,
        Outcome::CredentialRevoked { .. }
    ));
}

#[tokio::test]
async fn wrong_credentials_and_missing_permissions_are_told_apart() {
    let (slack, _) = slack().await;
    let app = AppCredentials {
        client_secret: secret("wrong"),
        ..credentials(&slack)
    };
    let refused = slack.api().install(&app, "code", &redirect()).await.unwrap_err();
    assert_eq!(refused.code(), Some("bad_client_secret"));
    assert!(!refused.to_string().contains("wrong"));

    slack
        .world()
        .add_token("xoxb-few", Ids::TEAM, &["chat:write".to_owned()]);
    let few = slack.api().workspace(Ids::TEAM, secret("xoxb-few"));
    assert_eq!(
        few.people(None).await.unwrap_err().outcome,
        Outcome::PermissionMissing {
            needed: Some("users:read".into()),
            granted: Some("chat:write".into())
        }
    );
}

#[tokio::test]
async fn after_uninstalling_or_revoking_nothing_can_be_sent() {
    let (slack, _) = slack().await;
    slack
        .world()
        .add_token("xoxb-2", Ids::TEAM, &["chat:write".to_owned()]);
    let second = slack.api().workspace(Ids::TEAM, secret("xoxb-2"));
    second.revoke().await.unwrap();
    for (workspace, code) in [(second, "token_revoked"), (workspace(&slack), "account_inactive")] {
        if code == "account_inactive" {
            workspace.uninstall(&credentials(&slack)).await.unwrap();
        }
        assert_eq!(
            workspace.auth_test().await.unwrap_err().outcome,
            Outcome::CredentialRevoked { code: code.into() }
        );
    }
}
