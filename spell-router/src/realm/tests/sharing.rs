//! Several callees for one registration.

use std::collections::BTreeSet;

use spell_message::{MatchPolicy, Pattern, options::InvocationPolicy};

use super::*;

const POLICIES: [&str; 4] = ["roundrobin", "random", "first", "last"];

/// A realm in which these registered `com.p`, in this order.
fn shared(policy: &str, callees: &[u64]) -> Realm {
    let mut realm = Realm::new();
    for callee in callees {
        let outputs = realm.send(*callee, &register(1, policy));
        assert_eq!(outputs, [format!("{callee} ← [65,1,1]")]);
    }
    realm
}

fn register(request: u64, policy: &str) -> String {
    format!(r#"[64,{request},{{"invoke":"{policy}"}},"com.p"]"#)
}

/// Who is invoked by the calls with these ids.
fn called(realm: &mut Realm, calls: std::ops::RangeInclusive<u64>) -> Vec<u64> {
    let receiver = |call| {
        let outputs = realm.send(ALICE, &format!(r#"[48,{call},{{}},"com.p"]"#));
        assert!(outputs[0].contains("[68,"), "{outputs:?}");
        outputs[0].split(' ').next().unwrap().parse().unwrap()
    };
    calls.map(receiver).collect()
}

#[test]
fn all_callees_share_one_id() {
    for policy in POLICIES {
        shared(policy, &[BOB, CAROL]);
    }
}

#[test]
fn another_policy_than_that_of_the_first_callee_is_refused() {
    for first in POLICIES {
        for other in ["single", "roundrobin", "random", "first", "last"] {
            let mut realm = shared(first, &[BOB]);
            let outputs = realm.send(CAROL, &register(1, other));
            let refused = outputs[0].ends_with(r#""wamp.error.procedure_already_exists"]"#);
            assert_eq!(refused, first != other, "{first} {other}");
        }
    }
}

#[test]
fn a_single_registration_is_not_shared_whatever_the_next_one_wants() {
    for policy in POLICIES {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[64,1,{},"com.p"]"#);
        let outputs = realm.send(CAROL, &register(1, policy));
        let error = r#"{},"wamp.error.procedure_already_exists"]"#;
        assert_eq!(outputs, [format!("3 ← [8,64,1,{error}")]);
    }
}

#[test]
fn a_session_shares_a_registration_once() {
    let mut realm = shared("roundrobin", &[BOB]);
    let outputs = realm.send(BOB, &register(2, "roundrobin"));
    assert!(outputs[0].ends_with(r#""wamp.error.procedure_already_exists"]"#));
    assert_eq!(realm.send(BOB, "[66,3,1]"), ["2 ← [67,3]"]);
    assert_eq!(
        realm.send(BOB, &register(4, "roundrobin")),
        ["2 ← [65,4,2]"]
    );
}

#[test]
fn the_policy_is_free_again_once_all_callees_are_gone() {
    let mut realm = shared("first", &[BOB, CAROL]);
    realm.send(BOB, "[66,2,1]");
    assert_eq!(realm.leave(CAROL), [""; 0]);
    assert_eq!(realm.send(BOB, &register(3, "last")), ["2 ← [65,3,2]"]);
}

#[test]
fn callees_take_turns_in_the_order_in_which_they_registered() {
    let mut realm = shared("roundrobin", &[CAROL, ALICE, BOB]);
    assert_eq!(called(&mut realm, 2..=6), [CAROL, ALICE, BOB, CAROL, ALICE]);
}

#[test]
fn turns_go_on_where_they_were_when_callees_come_and_go() {
    let mut realm = shared("roundrobin", &[BOB, CAROL]);
    assert_eq!(called(&mut realm, 1..=1), [BOB]);
    realm.send(BOB, "[66,2,1]");
    realm.send(BOB, &register(3, "roundrobin"));
    assert_eq!(called(&mut realm, 2..=4), [CAROL, BOB, CAROL]);
}

#[test]
fn the_first_or_the_last_callee_gets_all_calls_while_it_is_there() {
    for (policy, chosen, next) in [("first", BOB, CAROL), ("last", CAROL, BOB)] {
        let mut realm = shared(policy, &[BOB, CAROL]);
        assert_eq!(called(&mut realm, 1..=2), [chosen, chosen]);
        realm.send(chosen, "[66,2,1]");
        assert_eq!(called(&mut realm, 3..=3), [next]);
    }
}

#[test]
fn any_callee_may_get_a_random_call() {
    let mut realm = shared("random", &[BOB, CAROL]);
    let called: BTreeSet<_> = called(&mut realm, 1..=64).into_iter().collect();
    assert_eq!(called, BTreeSet::from([BOB, CAROL]));
}

#[test]
fn patterns_can_be_shared() {
    let mut realm = Realm::new();
    for callee in [BOB, CAROL] {
        let options = r#"{"match":"prefix","invoke":"roundrobin"}"#;
        realm.send(callee, &format!(r#"[64,1,{options},"com"]"#));
    }
    assert_eq!(called(&mut realm, 1..=3), [BOB, CAROL, BOB]);
}

#[test]
fn a_registration_tells_about_itself() {
    let mut realm = shared("last", &[CAROL, BOB]);
    realm.send(BOB, r#"[64,2,{"match":"wildcard"},"com."]"#);
    let now = (realm.state.environment.clock)().instant;
    let registrations = &realm.state.dealer.registrations;
    let exact = Pattern::exact("com.p").unwrap();
    let id = registrations.lookup(&exact).unwrap();
    assert_eq!(registrations.best("com.p"), Some(id));
    assert_eq!(registrations.of_policy(MatchPolicy::Exact), [id]);
    assert_eq!(registrations.of_policy(MatchPolicy::Wildcard).len(), 1);
    let registration = registrations.get(id).unwrap();
    assert_eq!(registration.pattern, exact);
    assert_eq!(registration.policy, InvocationPolicy::Last);
    assert!(registration.created.instant <= now);
    let callees: Vec<_> = registration.callees().map(SessionId::get).collect();
    assert_eq!(callees, [CAROL, BOB]);
}

#[test]
fn a_callee_that_unregisters_while_a_call_is_prepared_for_it_is_not_called() {
    let mut realm = shared("first", &[BOB, CAROL]);
    let work = realm.begin_work(ALICE, r#"[48,1,{},"com.p"]"#);
    realm.send(BOB, "[66,2,1]");
    let (Handled::After(work), _) = realm.finish(ALICE, work) else {
        panic!("nothing to prepare for Carol");
    };
    let (_, outputs) = realm.finish(ALICE, *work);
    assert_eq!(outputs, ["3 ← [68,1,1,{}]"]);
}

#[test]
fn a_call_whose_callee_changes_all_the_time_fails() {
    let callees = [BOB, CAROL, 5, 6, 7];
    let mut realm = Realm::new();
    for callee in callees {
        if callee > CAROL {
            realm.join(callee, "erin", "user");
        }
        realm.send(callee, &register(1, "first"));
    }
    let mut work = realm.begin_work(ALICE, r#"[48,1,{},"com.p"]"#);
    for callee in callees {
        realm.send(callee, "[66,2,1]");
        match realm.finish(ALICE, work) {
            (Handled::After(more), _) => work = *more,
            (Handled::Now(flow), outputs) => {
                assert_eq!(flow, Flow::Open);
                assert!(outputs[0].ends_with(r#""wamp.error.no_available_callee"]"#));
                assert!(realm.state.is_idle());
                return;
            }
        }
    }
    panic!("prepared without end");
}
