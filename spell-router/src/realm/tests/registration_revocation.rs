//! Registrations that the router takes away.
//!
//! WAMP spec, "Registration Revocation".

use spell_message::RegistrationId;

use super::*;

fn revoke(realm: &mut Realm, reason: Option<&str>) -> Vec<String> {
    realm.step(|state, out| state.dealer.revoke(RegistrationId::MIN, reason, out))
}

#[test]
fn callees_that_announced_it_are_told_and_the_others_are_not() {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, &[(RoleName::Callee, Feature::RegistrationRevocation)]);
    for callee in [BOB, DAVE] {
        realm.send(callee, r#"[64,1,{"invoke":"last"},"com.p"]"#);
    }
    assert_eq!(
        revoke(&mut realm, Some("com.why")),
        [r#"4 ← [67,0,{"registration":1,"reason":"com.why"}]"#]
    );
    let outputs = realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    assert!(outputs[0].ends_with(r#""wamp.error.no_such_procedure"]"#));
    let outputs = realm.send(BOB, "[66,2,1]");
    assert!(outputs[0].ends_with(r#""wamp.error.no_such_registration"]"#));
}

#[test]
fn no_reason_need_be_given() {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, &[(RoleName::Callee, Feature::RegistrationRevocation)]);
    realm.send(DAVE, r#"[64,1,{},"com.p"]"#);
    assert_eq!(
        revoke(&mut realm, None),
        [r#"4 ← [67,0,{"registration":1}]"#]
    );
}

#[test]
fn revoking_what_is_not_registered_does_nothing() {
    let mut realm = Realm::new();
    let outputs = realm.step(|state, out| {
        assert!(!state.dealer.revoke(RegistrationId::MIN, None, out));
        assert!(
            !state
                .dealer
                .revoke_from(id(BOB), RegistrationId::MIN, None, out)
        );
    });
    assert_eq!(outputs, [""; 0]);
}

#[test]
fn an_invocation_under_way_outlives_the_revocation() {
    let mut realm = Realm::with_call();
    assert_eq!(revoke(&mut realm, None), [""; 0]);
    assert_eq!(realm.send(BOB, "[70,1,{},[7]]"), ["1 ← [50,1,{},[7]]"]);
}
