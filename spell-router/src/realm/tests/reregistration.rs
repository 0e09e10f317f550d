//! Procedures that are taken from the session that has them.
//!
//! WAMP spec, "Registration Revocation"; the option `force_reregister` is not in it.

use super::*;
use crate::Reregistration;

/// Two more sessions of the same user, who was there before.
const STALE: u64 = 5;
const AGAIN: u64 = 6;

const FORCE: &str = r#"[64,1,{"force_reregister":true},"com.p"]"#;
const TAKEN: &str = r#"[8,64,1,{},"wamp.error.procedure_already_exists"]"#;
const REVOKED: &str =
    r#"5 ← [67,0,{"registration":1,"reason":"another session registered it anew"}]"#;

/// Lets someone join who learns of revocations.
fn join(realm: &mut Realm, session: u64, authid: &str, authrole: &str, method: Method) {
    let principal = Principal {
        authid: authid.to_owned(),
        authrole: authrole.to_owned(),
        method,
        trustlevel: None,
    };
    let line = Line::new(Json::new().into(), None);
    let announced = Announced::default().with(RoleName::Callee, Feature::RegistrationRevocation);
    realm.step(|state, out| state.join(id(session), principal, announced, line, out));
}

/// A realm where somebody has `com.p`, and joined again.
fn stale() -> Realm {
    let mut realm = Realm::new();
    join(&mut realm, STALE, "joe", "user", Method::Ticket);
    join(&mut realm, AGAIN, "joe", "user", Method::Cra);
    assert_eq!(realm.send(STALE, r#"[64,1,{},"com.p"]"#), ["5 ← [65,1,1]"]);
    realm
}

fn refused(session: u64) -> [String; 1] {
    [format!("{session} ← {TAKEN}")]
}

#[test]
fn a_session_takes_the_procedure_from_its_last_one_by_force_only() {
    let mut realm = stale();
    let outputs = realm.send(AGAIN, r#"[64,1,{"force_reregister":false},"com.p"]"#);
    assert_eq!(outputs, refused(AGAIN));
    let outputs = realm.send(AGAIN, &FORCE.replace("64,1", "64,2"));
    assert_eq!(outputs, [REVOKED, "6 ← [65,2,2]"]);
    assert_eq!(
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#),
        ["6 ← [68,1,2,{}]"]
    );
    let outputs = realm.send(STALE, "[66,2,1]");
    assert!(outputs[0].ends_with(r#""wamp.error.no_such_registration"]"#));
}

#[test]
fn only_the_same_proven_identity_takes_a_procedure() {
    for (authid, authrole, method) in [
        ("jim", "user", Method::Ticket),
        ("joe", "admin", Method::Ticket),
        ("joe", "user", Method::Anonymous),
    ] {
        let mut realm = stale();
        join(&mut realm, DAVE, authid, authrole, method);
        assert_eq!(
            realm.send(DAVE, FORCE),
            refused(DAVE),
            "{authid} {authrole}"
        );
    }
    let mut realm = Realm::new();
    for session in [STALE, AGAIN] {
        join(&mut realm, session, "joe", "user", Method::Anonymous);
    }
    realm.send(STALE, r#"[64,1,{},"com.p"]"#);
    assert_eq!(realm.send(AGAIN, FORCE), refused(AGAIN));
}

#[test]
fn the_realm_decides_who_takes_procedures() {
    let mut realm = stale();
    realm.state.dealer.reregistration = Reregistration::Nobody;
    assert_eq!(realm.send(AGAIN, FORCE), refused(AGAIN));
    realm.state.dealer.reregistration = Reregistration::Everyone;
    assert_eq!(realm.send(BOB, FORCE), [REVOKED, "2 ← [65,1,2]"]);
}

#[test]
fn who_has_the_procedure_does_not_take_it_from_itself() {
    let mut realm = stale();
    realm.state.dealer.reregistration = Reregistration::Everyone;
    let outputs = realm.send(STALE, &FORCE.replace("64,1", "64,2"));
    assert_eq!(
        outputs,
        [r#"5 ← [8,64,2,{},"wamp.error.procedure_already_exists"]"#]
    );
}

#[test]
fn what_nobody_has_is_simply_registered() {
    let mut realm = Realm::new();
    assert_eq!(realm.send(BOB, FORCE), ["2 ← [65,1,1]"]);
}

#[test]
fn all_who_share_a_registration_lose_it_or_none() {
    let share = r#"[64,1,{"invoke":"first"},"com.p"]"#;
    let force = r#"[64,1,{"invoke":"first","force_reregister":true},"com.p"]"#;
    for (holders, taken) in [([STALE, DAVE], true), ([STALE, BOB], false)] {
        let mut realm = Realm::new();
        for session in [STALE, DAVE, AGAIN] {
            join(&mut realm, session, "joe", "user", Method::Ticket);
        }
        for holder in holders {
            realm.send(holder, share);
        }
        let outputs = realm.send(AGAIN, force);
        if taken {
            let other = REVOKED.replace("5 ←", "4 ←");
            assert_eq!(outputs, [REVOKED, &other, "6 ← [65,1,2]"]);
        } else {
            // It is one of them, as without the option.
            assert_eq!(outputs, ["6 ← [65,1,1]"]);
        }
    }
}

#[test]
fn who_may_register_no_more_takes_nothing() {
    let quotas = Quotas {
        registrations: 1,
        ..Quotas::default()
    };
    let mut realm = Realm::with_quotas(quotas);
    realm.state.dealer.reregistration = Reregistration::Everyone;
    realm.send(BOB, r#"[64,1,{},"com.p"]"#);
    realm.send(CAROL, r#"[64,1,{},"com.other"]"#);
    let outputs = realm.send(CAROL, &FORCE.replace("64,1", "64,2"));
    assert!(outputs[0].starts_with("3 ← [8,64,2,"), "{outputs:?}");
    assert_eq!(
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#),
        ["2 ← [68,1,1,{}]"]
    );
}

#[test]
fn an_invocation_under_way_outlives_the_session_that_takes_the_procedure() {
    let mut realm = Realm::with_call();
    realm.state.dealer.reregistration = Reregistration::Everyone;
    // Bob did not announce that he understands revocations.
    assert_eq!(realm.send(CAROL, FORCE), ["3 ← [65,1,2]"]);
    assert_eq!(realm.send(BOB, "[70,1,{},[7]]"), ["1 ← [50,1,{},[7]]"]);
}
