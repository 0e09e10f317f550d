//! Subscriptions that the router takes away.
//!
//! WAMP spec, "Subscription Revocation".

use spell_message::SubscriptionId;

use super::*;

/// A realm where Dave, who can be told of it, and Bob, who cannot, have the subscription 1.
fn subscribed() -> Realm {
    let mut realm = Realm::new();
    realm.join_announcing(
        DAVE,
        &[(RoleName::Subscriber, Feature::SubscriptionRevocation)],
    );
    realm.send(DAVE, r#"[32,1,{},"com.t"]"#);
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    realm
}

fn revoke(realm: &mut Realm, subscription: u64, reason: Option<&str>) -> (bool, Vec<String>) {
    let mut revoked = false;
    let outputs = realm.step(|state, out| {
        let id = SubscriptionId::new(subscription).unwrap();
        revoked = state.broker.revoke(id, reason, &state.members, out);
    });
    (revoked, outputs)
}

#[test]
fn only_those_who_announced_it_are_told_of_a_revocation() {
    let mut realm = subscribed();
    let (revoked, outputs) = revoke(&mut realm, 1, Some("no longer authorized"));
    assert!(revoked);
    assert_eq!(
        outputs,
        [r#"4 ← [35,0,{"subscription":1,"reason":"no longer authorized"}]"#]
    );
}

#[test]
fn a_revocation_needs_no_reason() {
    let (_, outputs) = revoke(&mut subscribed(), 1, None);
    assert_eq!(outputs, [r#"4 ← [35,0,{"subscription":1}]"#]);
}

#[test]
fn a_revoked_subscription_is_over_for_all_and_may_be_asked_for_again() {
    let mut realm = subscribed();
    let _revoked = revoke(&mut realm, 1, None);
    assert!(realm.send(ALICE, r#"[16,1,{},"com.t"]"#).is_empty());
    let outputs = realm.send(BOB, "[34,2,1]");
    assert!(outputs[0].ends_with(r#""wamp.error.no_such_subscription"]"#));
    assert_eq!(realm.send(BOB, r#"[32,3,{},"com.t"]"#), ["2 ← [33,3,2]"]);
}

#[test]
fn what_is_not_there_cannot_be_revoked() {
    assert_eq!(revoke(&mut subscribed(), 2, None), (false, vec![]));
}
