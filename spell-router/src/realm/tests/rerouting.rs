//! Calls that another callee has to serve.
//!
//! WAMP spec, "Call Re-Routing".

use super::*;

/// She sends arguments in parts.
const ERIN: u64 = 5;
const PARTS: (RoleName, Feature) = (RoleName::Callee, Feature::ProgressiveCallInvocations);
const PROGRESS: (RoleName, Feature) = (RoleName::Callee, Feature::ProgressiveCallResults);
const TIMEOUT: (RoleName, Feature) = (RoleName::Callee, Feature::CallTimeout);

const NONE: &str = r#"1 ← [8,48,1,{},"wamp.error.no_available_callee"]"#;

/// A realm where Bob, Carol and Dave registered `com.p`, in this order.
fn shared(policy: &str) -> Realm {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, &[CALL_CANCELING]);
    for callee in [BOB, CAROL, DAVE] {
        realm.send(
            callee,
            &format!(r#"[64,1,{{"invoke":"{policy}"}},"com.p"]"#),
        );
    }
    realm
}

/// Says that a callee is unavailable for its first invocation.
fn decline(realm: &mut Realm, callee: u64) -> Vec<String> {
    realm.send(callee, r#"[8,68,1,{},"wamp.error.unavailable",["busy"]]"#)
}

#[test]
fn a_call_goes_to_the_next_callee_of_the_policy_until_none_is_left() {
    for (policy, order) in [
        ("roundrobin", [BOB, CAROL, DAVE]),
        ("first", [BOB, CAROL, DAVE]),
        ("last", [DAVE, CAROL, BOB]),
    ] {
        let mut realm = shared(policy);
        let mut outputs = realm.send(ALICE, r#"[48,1,{},"com.p",[7],{"a":1}]"#);
        for callee in order {
            let invocation = format!(r#"{callee} ← [68,1,1,{{}},[7],{{"a":1}}]"#);
            assert_eq!(outputs, [invocation], "{policy}");
            outputs = decline(&mut realm, callee);
        }
        assert_eq!(outputs, [NONE], "{policy}");
        assert!(realm.state.is_idle());
    }
}

#[test]
fn a_random_call_goes_to_each_of_the_others() {
    let mut realm = shared("random");
    let mut outputs = realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    let mut tried = Vec::new();
    while outputs[0].contains("[68,") {
        let callee = outputs[0].split(' ').next().unwrap().parse().unwrap();
        tried.push(callee);
        outputs = decline(&mut realm, callee);
    }
    assert_eq!(outputs, [NONE]);
    tried.sort_unstable();
    assert_eq!(tried, [BOB, CAROL, DAVE]);
}

#[test]
fn turns_go_on_after_the_callee_that_served_the_call() {
    let mut realm = shared("roundrobin");
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    assert_eq!(decline(&mut realm, BOB), ["3 ← [68,1,1,{}]"]);
    let outputs = realm.send(ALICE, r#"[48,2,{},"com.p"]"#);
    assert_eq!(outputs, ["4 ← [68,1,1,{}]"]);
}

#[test]
fn a_single_callee_that_is_unavailable_fails_the_call() {
    let mut realm = Realm::with_call();
    assert_eq!(decline(&mut realm, BOB), [NONE]);
    // So does the only one of a shared registration, although another one comes.
    let mut realm = Realm::new();
    realm.send(BOB, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    realm.send(CAROL, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    assert_eq!(decline(&mut realm, BOB), [NONE]);
}

#[test]
fn the_next_callee_answers_in_place_of_the_first_one() {
    for (answer, expected) in [
        ("[70,1,{},[5]]", "1 ← [50,1,{},[5]]"),
        (r#"[8,68,1,{},"com.bad"]"#, r#"1 ← [8,48,1,{},"com.bad"]"#),
    ] {
        let mut realm = shared("first");
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
        decline(&mut realm, BOB);
        // The first one has answered.
        assert_eq!(realm.send(BOB, "[70,1,{}]"), [""; 0]);
        assert_eq!(realm.send(CAROL, answer), [expected]);
        assert!(realm.state.is_idle());
    }
}

#[test]
fn callees_that_left_or_unregistered_are_not_tried() {
    let mut realm = shared("first");
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    realm.leave(CAROL);
    assert_eq!(decline(&mut realm, BOB), ["4 ← [68,1,1,{}]"]);
    realm.send(BOB, "[66,2,1]");
    realm.send(BOB, r#"[64,3,{"invoke":"first"},"com.p"]"#);
    assert_eq!(
        decline(&mut realm, DAVE),
        [NONE],
        "Bob is still unavailable"
    );
}

#[test]
fn a_registration_that_is_gone_has_no_callee() {
    let mut realm = shared("first");
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    for callee in [BOB, CAROL, DAVE] {
        realm.send(callee, "[66,2,1]");
    }
    assert_eq!(decline(&mut realm, BOB), [NONE]);
}

#[test]
fn cancelling_goes_to_the_callee_that_has_the_call_now() {
    let mut realm = shared("first");
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    decline(&mut realm, BOB);
    let outputs = realm.send(ALICE, "[49,1,{}]");
    assert_eq!(outputs[0], r#"3 ← [69,1,{"mode":"killnowait"}]"#);
    assert!(realm.state.is_idle());
}

#[test]
fn a_call_that_is_canceled_goes_nowhere_else() {
    let mut realm = shared("first");
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#);
    let outputs = decline(&mut realm, BOB);
    assert_eq!(outputs, [r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#]);
    for mode in ["skip", "killnowait"] {
        let mut realm = shared("first");
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
        realm.send(ALICE, &format!(r#"[49,1,{{"mode":"{mode}"}}]"#));
        assert_eq!(decline(&mut realm, BOB), [""; 0]);
    }
}

#[test]
fn the_next_callee_is_told_what_it_understands() {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, &[CALL_CANCELING, PROGRESS, TIMEOUT]);
    realm.send(BOB, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    let register = r#"{"invoke":"first","forward_timeout":true,"disclose_caller":true}"#;
    realm.send(DAVE, &format!(r#"[64,1,{register},"com.p"]"#));
    let call = r#"[48,1,{"receive_progress":true,"timeout":100},"com.p"]"#;
    assert_eq!(realm.send(ALICE, call), ["2 ← [68,1,1,{}]"]);
    realm.pass(30);
    assert_eq!(realm.due(), Some(70));
    let outputs = decline(&mut realm, BOB);
    let caller = r#""caller":1,"caller_authid":"alice","caller_authrole":"admin""#;
    let details = format!(r#"{{{caller},"receive_progress":true,"timeout":70}}"#);
    assert_eq!(outputs, [format!("4 ← [68,1,1,{details}]")]);
    assert_eq!(realm.due(), None);
}

#[test]
fn re_routing_gives_a_call_no_more_time() {
    let mut realm = shared("first");
    realm.send(ALICE, r#"[48,1,{"timeout":100},"com.p"]"#);
    realm.pass(30);
    decline(&mut realm, BOB);
    assert_eq!(realm.due(), Some(70));
    let outputs = realm.pass(70);
    assert_eq!(
        outputs,
        [
            r#"3 ← [69,1,{"mode":"killnowait"}]"#,
            r#"1 ← [8,48,1,{},"wamp.error.timeout"]"#
        ]
    );
}

#[test]
fn a_call_stays_with_the_callee_that_gave_part_of_the_result() {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, &[CALL_CANCELING, PROGRESS]);
    for callee in [DAVE, BOB] {
        realm.send(callee, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    }
    realm.send(ALICE, r#"[48,1,{"receive_progress":true},"com.p"]"#);
    realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    assert_eq!(decline(&mut realm, DAVE), [NONE]);
}

#[test]
fn a_call_stays_with_the_callee_that_got_another_part_of_the_arguments() {
    let mut realm = Realm::new();
    realm.join_announcing(ERIN, &[(RoleName::Caller, PARTS.1)]);
    for callee in [DAVE, 6, 7] {
        realm.join_announcing(callee, &[CALL_CANCELING, PARTS]);
        realm.send(callee, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    }
    let part = r#"[48,1,{"progress":true},"com.p"]"#;
    realm.send(ERIN, part);
    let outputs = decline(&mut realm, DAVE);
    assert_eq!(outputs, [r#"6 ← [68,1,1,{"progress":true}]"#]);
    assert_eq!(realm.send(ERIN, part), outputs);
    assert!(decline(&mut realm, 6)[0].ends_with(r#""wamp.error.no_available_callee"]"#));
    assert!(realm.state.is_idle());
}

#[test]
fn arguments_beyond_what_may_be_kept_are_not_and_their_calls_stay() {
    let quotas = Quotas {
        kept: 10,
        ..Quotas::default()
    };
    let mut realm = Realm::with_quotas(quotas);
    for callee in [BOB, CAROL] {
        realm.send(callee, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    }
    let decline = |realm: &mut Realm, invocation| {
        let error = r#"{},"wamp.error.unavailable"]"#;
        realm.send(BOB, &format!("[8,68,{invocation},{error}"))
    };
    realm.send(ALICE, r#"[48,1,{},"com.p",["1234"]]"#);
    realm.send(ALICE, r#"[48,2,{},"com.p",["1234"]]"#);
    let outputs = decline(&mut realm, 2);
    assert!(outputs[0].ends_with(r#""wamp.error.no_available_callee"]"#));
    let outputs = decline(&mut realm, 1);
    assert_eq!(outputs, [r#"3 ← [68,1,1,{},["1234"]]"#]);
    realm.send(CAROL, "[70,1,{}]");
    // There is room again.
    realm.send(ALICE, r#"[48,3,{},"com.p",["1234"]]"#);
    let outputs = decline(&mut realm, 3);
    assert_eq!(outputs, [r#"3 ← [68,2,1,{},["1234"]]"#]);
}

#[test]
fn arguments_are_not_kept_once_their_call_stays() {
    let quotas = Quotas {
        kept: 10,
        ..Quotas::default()
    };
    let mut realm = Realm::with_quotas(quotas);
    for callee in [DAVE, 6] {
        realm.join_announcing(callee, &[CALL_CANCELING, PROGRESS]);
        realm.send(callee, r#"[64,1,{"invoke":"first"},"com.p"]"#);
    }
    let options = r#"{"receive_progress":true}"#;
    realm.send(ALICE, &format!(r#"[48,1,{options},"com.p",["1234"]]"#));
    realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    realm.send(ALICE, r#"[48,2,{},"com.p",["1234"]]"#);
    let outputs = realm.send(DAVE, r#"[8,68,2,{},"wamp.error.unavailable"]"#);
    assert_eq!(outputs, [r#"6 ← [68,1,1,{},["1234"]]"#]);
}

#[test]
fn what_ends_a_call_while_it_is_prepared_for_the_next_callee_ends_it() {
    type End = fn(&mut Realm) -> Vec<String>;
    let canceled = r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#;
    let ends: [(End, &[&str], &[&str]); 5] = [
        // Who said so may be told to stop; it must have ignored that anyhow.
        (
            |realm| realm.send(ALICE, "[49,1,{}]"),
            &[r#"2 ← [69,1,{"mode":"killnowait"}]"#, canceled],
            &[],
        ),
        (
            |realm| realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#),
            &[r#"2 ← [69,1,{"mode":"kill"}]"#],
            &[canceled],
        ),
        (
            |realm| realm.leave(ALICE),
            &[r#"2 ← [69,1,{"mode":"killnowait"}]"#],
            &[],
        ),
        (|realm| realm.leave(BOB), &[canceled], &[]),
        // This one ends nothing: another one is next.
        (|realm| realm.leave(CAROL), &[], &["4 ← [68,1,1,{}]"]),
    ];
    for (end, at_once, then) in ends {
        let mut realm = shared("first");
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
        let work = realm.begin_work(BOB, r#"[8,68,1,{},"wamp.error.unavailable"]"#);
        assert_eq!(end(&mut realm), at_once);
        let (handled, mut outputs) = realm.finish(BOB, work);
        if let Handled::After(work) = handled {
            let (_, more) = realm.finish(BOB, *work);
            outputs.extend(more);
        }
        assert_eq!(outputs, then);
    }
}
