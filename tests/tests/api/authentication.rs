//! Joining where not everybody may.

use spell_peer::JoinError;
use spell_roles::{
    Session,
    auth::{Cra, Ticket},
};
use spell_tests::accounts::{Account, CRA, REALM, ROLE, SALTED_CRA, TICKET};

use spell_tests::place::{Client, Place};

pub(crate) async fn a_ticket_is_accepted(place: &Place) {
    let client = place
        .authenticate(session().authenticator(ticket(&TICKET)))
        .await
        .unwrap();
    assert_joined_as(&client, &TICKET, "ticket");
}

pub(crate) async fn wampcra_is_accepted(place: &Place) {
    let client = place
        .authenticate(session().authenticator(cra(&CRA)))
        .await
        .unwrap();
    assert_joined_as(&client, &CRA, "wampcra");
}

pub(crate) async fn salted_wampcra_is_accepted(place: &Place) {
    let client = place
        .authenticate(session().authenticator(cra(&SALTED_CRA)))
        .await
        .unwrap();
    assert_joined_as(&client, &SALTED_CRA, "wampcra");
}

pub(crate) async fn several_methods_are_offered_at_once(place: &Place) {
    // The router takes the one that it has for this user.
    let session = session()
        .authenticator(cra(&CRA))
        .authenticator(Ticket::new(CRA.authid, "not asked for"));
    let client = place.authenticate(session).await.unwrap();
    assert_joined_as(&client, &CRA, "wampcra");
}

pub(crate) async fn a_wrong_ticket_is_refused(place: &Place) {
    let session = session().authenticator(Ticket::new(TICKET.authid, "wrong"));
    assert_refused(place.authenticate(session).await);
}

pub(crate) async fn a_wrong_secret_is_refused(place: &Place) {
    for account in [&CRA, &SALTED_CRA] {
        let session = session().authenticator(Cra::new(account.authid, "wrong"));
        assert_refused(place.authenticate(session).await);
    }
}

pub(crate) async fn who_cannot_authenticate_is_refused(place: &Place) {
    assert_refused(place.authenticate(session()).await);
    let nobody = session().authenticator(Ticket::new("nobody", TICKET.secret));
    assert_refused(place.authenticate(nobody).await);
}

fn session() -> Session {
    Session::new(REALM)
}

fn ticket(account: &Account) -> Ticket {
    Ticket::new(account.authid, account.secret)
}

fn cra(account: &Account) -> Cra {
    Cra::new(account.authid, account.secret)
}

fn assert_joined_as(client: &Client, account: &Account, method: &str) {
    let session = client.session().unwrap();
    assert_eq!(session.authid(), Some(account.authid));
    assert_eq!(session.authrole(), Some(ROLE));
    assert_eq!(session.authmethod(), Some(method));
}

/// Routers differ in the reason they give.
fn assert_refused(joined: Result<Client, JoinError>) {
    match joined {
        Err(JoinError::Refused(abort)) => assert!(
            abort.reason.as_str().starts_with("wamp.error."),
            "{abort:?}"
        ),
        other => panic!("{other:?}"),
    }
}
