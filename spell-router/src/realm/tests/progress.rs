//! Results that come in parts.
//!
//! WAMP spec, "Progressive Call Results".

use super::*;

const PROGRESS: (RoleName, Feature) = (RoleName::Callee, Feature::ProgressiveCallResults);

/// A realm where Dave, who announced this, registered `com.p`.
fn realm(features: &[(RoleName, Feature)]) -> Realm {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, features);
    realm.send(DAVE, r#"[64,1,{},"com.p"]"#);
    realm
}

/// The same, with Alice's call, which asks for progress.
fn called() -> Realm {
    let mut realm = realm(&[CALL_CANCELING, PROGRESS]);
    let outputs = realm.send(ALICE, r#"[48,1,{"receive_progress":true},"com.p"]"#);
    assert_eq!(outputs, [r#"4 ← [68,1,1,{"receive_progress":true}]"#]);
    realm
}

#[test]
fn each_part_of_a_result_reaches_the_caller_and_the_last_one_ends_the_call() {
    let mut realm = called();
    for part in [r#",["a"]"#, "", r#",[],{"b":1}"#] {
        let outputs = realm.send(DAVE, &format!(r#"[70,1,{{"progress":true}}{part}]"#));
        assert_eq!(
            outputs,
            [format!(r#"1 ← [50,1,{{"progress":true}}{part}]"#)]
        );
        assert!(!realm.state.is_idle());
    }
    assert_eq!(realm.send(DAVE, "[70,1,{}]"), ["1 ← [50,1,{}]"]);
    assert!(realm.state.is_idle());
}

#[test]
fn progress_can_end_in_an_error() {
    let mut realm = called();
    realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    let outputs = realm.send(DAVE, r#"[8,68,1,{},"com.bad"]"#);
    assert_eq!(outputs, [r#"1 ← [8,48,1,{},"com.bad"]"#]);
}

#[test]
fn a_callee_may_give_a_single_result_all_the_same() {
    let mut realm = called();
    let outputs = realm.send(DAVE, r#"[70,1,{"progress":false},[1]]"#);
    assert_eq!(outputs, ["1 ← [50,1,{},[1]]"]);
}

#[test]
fn only_a_callee_that_can_be_interrupted_is_asked_for_progress() {
    for features in [&[][..], &[CALL_CANCELING], &[PROGRESS]] {
        let mut realm = realm(features);
        let outputs = realm.send(ALICE, r#"[48,1,{"receive_progress":true},"com.p"]"#);
        assert_eq!(outputs, ["4 ← [68,1,1,{}]"], "{features:?}");
        // What it gives unasked is dropped.
        let outputs = realm.send(DAVE, r#"[70,1,{"progress":true},[1]]"#);
        assert_eq!(outputs, [""; 0]);
        assert_eq!(realm.send(DAVE, "[70,1,{},[2]]"), ["1 ← [50,1,{},[2]]"]);
    }
}

#[test]
fn progress_that_the_caller_did_not_ask_for_is_dropped() {
    for options in ["{}", r#"{"receive_progress":false}"#] {
        let mut realm = realm(&[CALL_CANCELING, PROGRESS]);
        let outputs = realm.send(ALICE, &format!(r#"[48,1,{options},"com.p"]"#));
        assert_eq!(outputs, ["4 ← [68,1,1,{}]"]);
        let outputs = realm.send(DAVE, r#"[70,1,{"progress":true},[1]]"#);
        assert_eq!(outputs, [""; 0]);
        assert_eq!(realm.send(DAVE, "[70,1,{},[2]]"), ["1 ← [50,1,{},[2]]"]);
    }
}

#[test]
fn progress_after_the_end_is_discarded_and_the_callee_lives() {
    type End = fn(&mut Realm);
    let ends: [End; 5] = [
        |realm| _ = realm.send(DAVE, "[70,1,{}]"),
        |realm| _ = realm.send(DAVE, r#"[8,68,1,{},"com.bad"]"#),
        |realm| _ = realm.send(ALICE, "[49,1,{}]"),
        |realm| _ = realm.send(ALICE, r#"[49,1,{"mode":"skip"}]"#),
        |realm| _ = realm.leave(ALICE),
    ];
    for end in ends {
        let mut realm = called();
        realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
        end(&mut realm);
        assert!(realm.state.is_idle());
        for late in [r#"[70,1,{"progress":true}]"#, "[70,1,{}]"] {
            assert_eq!(realm.send(DAVE, late), [""; 0]);
        }
    }
}

#[test]
fn a_caller_that_leaves_stops_the_callee() {
    let mut realm = called();
    realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    let outputs = realm.leave(ALICE);
    assert_eq!(outputs, [r#"4 ← [69,1,{"mode":"killnowait"}]"#]);
}

#[test]
fn a_callee_that_leaves_fails_the_call() {
    let mut realm = called();
    realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    let outputs = realm.leave(DAVE);
    assert_eq!(outputs, [r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#]);
}

#[test]
fn progress_for_an_invocation_that_never_was_is_a_violation() {
    let mut realm = called();
    assert!(is_abort(
        &realm.violate(DAVE, r#"[70,2,{"progress":true}]"#),
        DAVE
    ));
}

#[test]
fn a_part_that_the_caller_cannot_get_fails_the_call_and_stops_the_callee() {
    let mut realm = called();
    let undelivered = |realm: &mut Realm| {
        realm.step(|state, out| {
            let why = Undeliverable::TooLarge;
            state.undelivered_progress(id(ALICE), RequestId::MIN, why, out);
        })
    };
    let outputs = undelivered(&mut realm);
    assert_eq!(outputs[0], r#"4 ← [69,1,{"mode":"killnowait"}]"#);
    assert!(outputs[1].ends_with(r#""wamp.error.payload_size_exceeded"]"#));
    assert!(realm.state.is_idle());
    assert_eq!(undelivered(&mut realm), [""; 0]);
}

#[test]
fn a_canceled_call_gets_progress_until_its_callee_answers() {
    let mut realm = called();
    realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#);
    let outputs = realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    assert_eq!(outputs, [r#"1 ← [50,1,{"progress":true}]"#]);
    let outputs = realm.send(DAVE, r#"[8,68,1,{},"wamp.error.canceled"]"#);
    assert_eq!(outputs, [r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#]);
}
