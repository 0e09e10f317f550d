//! Calls that take too long.
//!
//! WAMP spec, "Call Timeouts".

use super::*;

const CALL_TIMEOUT: (RoleName, Feature) = (RoleName::Callee, Feature::CallTimeout);
const PROGRESS: (RoleName, Feature) = (RoleName::Callee, Feature::ProgressiveCallResults);

const INTERRUPT: &str = r#"4 ← [69,1,{"mode":"killnowait"}]"#;
const TIMEOUT: &str = r#"1 ← [8,48,1,{},"wamp.error.timeout"]"#;

/// A realm where Dave, who announced this, registered `com.p`.
fn realm(features: &[(RoleName, Feature)], options: &str) -> Realm {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, features);
    realm.send(DAVE, &format!(r#"[64,1,{options},"com.p"]"#));
    realm
}

/// The same, with Alice's call, which may take 100 ms.
fn called() -> Realm {
    let mut realm = realm(&[CALL_CANCELING], "{}");
    let outputs = realm.send(ALICE, r#"[48,1,{"timeout":100},"com.p"]"#);
    assert_eq!(outputs, ["4 ← [68,1,1,{}]"]);
    realm
}

#[test]
fn who_watches_over_the_time_depends_on_the_callee() {
    let forward = r#"{"forward_timeout":true}"#;
    for (features, options, details, after) in [
        (&[][..], "{}", "{}", &[TIMEOUT][..]),
        (&[CALL_CANCELING], "{}", "{}", &[INTERRUPT, TIMEOUT]),
        (&[CALL_CANCELING], forward, "{}", &[INTERRUPT, TIMEOUT]),
        (
            &[CALL_CANCELING, CALL_TIMEOUT],
            "{}",
            "{}",
            &[INTERRUPT, TIMEOUT],
        ),
        (&[CALL_TIMEOUT], "{}", "{}", &[TIMEOUT]),
        (&[CALL_TIMEOUT], forward, r#"{"timeout":100}"#, &[]),
    ] {
        let mut realm = realm(features, options);
        let outputs = realm.send(ALICE, r#"[48,1,{"timeout":100},"com.p"]"#);
        assert_eq!(outputs, [format!("4 ← [68,1,1,{details}]")]);
        assert_eq!(realm.pass(99), [""; 0]);
        assert_eq!(realm.pass(1), after, "{features:?} {options}");
        assert_eq!(realm.due(), None);
        assert_eq!(realm.state.is_idle(), !after.is_empty());
        assert_eq!(realm.pass(1_000_000), [""; 0]);
    }
}

#[test]
fn a_callee_that_watches_itself_fails_the_call_itself() {
    let mut realm = realm(&[CALL_TIMEOUT], r#"{"forward_timeout":true}"#);
    realm.send(ALICE, r#"[48,1,{"timeout":100},"com.p"]"#);
    let outputs = realm.send(DAVE, r#"[8,68,1,{},"wamp.error.timeout"]"#);
    assert_eq!(outputs, [TIMEOUT]);
}

#[test]
fn no_time_out_and_one_of_0_are_none() {
    for options in ["{}", r#"{"timeout":0}"#] {
        let mut realm = realm(&[CALL_CANCELING], "{}");
        realm.send(ALICE, &format!(r#"[48,1,{options},"com.p"]"#));
        assert_eq!(realm.due(), None, "{options}");
    }
}

#[test]
fn the_longest_time_out_of_all_is_one_too() {
    let mut realm = realm(&[CALL_CANCELING], "{}");
    let longest = u64::MAX;
    let outputs = realm.send(ALICE, &format!(r#"[48,1,{{"timeout":{longest}}},"com.p"]"#));
    assert_eq!(outputs, ["4 ← [68,1,1,{}]"]);
    assert_eq!(realm.pass(1_000_000_000), [""; 0]);
    assert_eq!(realm.send(DAVE, "[70,1,{}]"), ["1 ← [50,1,{}]"]);
}

#[test]
fn a_call_that_ends_in_time_does_not_time_out() {
    type End = fn(&mut Realm);
    let ends: [(&str, End); 6] = [
        ("result", |realm| _ = realm.send(DAVE, "[70,1,{}]")),
        ("error", |realm| {
            _ = realm.send(DAVE, r#"[8,68,1,{},"com.bad"]"#);
        }),
        ("skip", |realm| {
            _ = realm.send(ALICE, r#"[49,1,{"mode":"skip"}]"#);
        }),
        ("killnowait", |realm| _ = realm.send(ALICE, "[49,1,{}]")),
        ("the callee leaves", |realm| _ = realm.leave(DAVE)),
        ("the caller leaves", |realm| _ = realm.leave(ALICE)),
    ];
    for (name, end) in ends {
        let mut realm = called();
        assert_eq!(realm.due(), Some(100));
        end(&mut realm);
        assert_eq!(realm.due(), None, "{name}");
        assert_eq!(realm.pass(100), [""; 0], "{name}");
    }
}

#[test]
fn an_answer_after_the_time_out_is_discarded() {
    for late in ["[70,1,{}]", r#"[8,68,1,{},"wamp.error.canceled"]"#] {
        let mut realm = called();
        assert_eq!(realm.pass(100), [INTERRUPT, TIMEOUT]);
        assert_eq!(realm.send(DAVE, late), [""; 0]);
        assert_eq!(realm.send(ALICE, "[49,1,{}]"), [""; 0]);
    }
}

#[test]
fn a_callee_that_is_to_stop_has_no_more_time_than_before_and_is_told_once() {
    let mut realm = called();
    let outputs = realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#);
    assert_eq!(outputs, [r#"4 ← [69,1,{"mode":"kill"}]"#]);
    assert_eq!(realm.pass(100), [TIMEOUT]);
}

#[test]
fn with_progress_each_result_has_its_time() {
    let mut realm = realm(&[CALL_CANCELING, PROGRESS], "{}");
    let call = r#"[48,1,{"timeout":100,"receive_progress":true},"com.p"]"#;
    realm.send(ALICE, call);
    for _ in 0..3 {
        assert_eq!(realm.pass(99), [""; 0]);
        realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
        assert_eq!(realm.due(), Some(100));
    }
    assert_eq!(realm.pass(100), [INTERRUPT, TIMEOUT]);
}

#[test]
fn progress_that_nobody_asked_for_gives_no_more_time() {
    let mut realm = realm(&[CALL_CANCELING, PROGRESS], "{}");
    realm.send(ALICE, r#"[48,1,{"timeout":100},"com.p"]"#);
    realm.pass(60);
    realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    assert_eq!(realm.due(), Some(40));
}

#[test]
fn calls_time_out_in_the_order_of_their_deadlines() {
    let mut realm = realm(&[], "{}");
    for (call, timeout) in [(1, 300), (2, 100), (3, 200), (4, 200)] {
        realm.send(
            ALICE,
            &format!(r#"[48,{call},{{"timeout":{timeout}}},"com.p"]"#),
        );
    }
    assert_eq!(realm.due(), Some(100));
    let timeout = |call| format!(r#"1 ← [8,48,{call},{{}},"wamp.error.timeout"]"#);
    assert_eq!(realm.pass(250), [timeout(2), timeout(3), timeout(4)]);
    assert_eq!(realm.due(), Some(50));
    assert_eq!(realm.pass(50), [timeout(1)]);
}

#[test]
fn a_time_that_is_not_a_number_of_milliseconds_is_a_violation() {
    let frame = Bytes::from_static(br#"[48,1,{"timeout":1.5},"com.p"]"#);
    assert!(Json::new().decode(&frame).is_err());
}
