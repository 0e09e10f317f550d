//! Calls that their callers cancel.
//!
//! WAMP spec, "Call Canceling".

use super::*;

const CANCELED: &str = r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#;

#[test]
fn skip_fails_the_call_and_leaves_the_callee_alone() {
    let mut realm = Realm::with_call();
    assert_eq!(realm.send(ALICE, r#"[49,1,{"mode":"skip"}]"#), [CANCELED]);
    assert!(realm.send(BOB, "[70,1,{}]").is_empty());
}

#[test]
fn killnowait_interrupts_and_fails_the_call_at_once() {
    let mut realm = Realm::with_call();
    let outputs = realm.send(ALICE, r#"[49,1,{"mode":"killnowait"}]"#);
    assert_eq!(outputs, [r#"2 ← [69,1,{"mode":"killnowait"}]"#, CANCELED]);
    let late = r#"[8,68,1,{},"wamp.error.canceled"]"#;
    assert!(realm.send(BOB, late).is_empty());
}

#[test]
fn kill_interrupts_and_waits_for_what_the_callee_answers() {
    for (answer, expected) in [
        (r#"[8,68,1,{},"wamp.error.canceled"]"#, CANCELED),
        ("[70,1,{},[5]]", "1 ← [50,1,{},[5]]"),
        (r#"[8,68,1,{},"com.bad"]"#, r#"1 ← [8,48,1,{},"com.bad"]"#),
    ] {
        let mut realm = Realm::with_call();
        let outputs = realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#);
        assert_eq!(outputs, [r#"2 ← [69,1,{"mode":"kill"}]"#]);
        assert_eq!(realm.send(BOB, answer), [expected]);
        assert!(realm.state.is_idle());
    }
}

#[test]
fn no_mode_is_killnowait() {
    let mut realm = Realm::with_call();
    let outputs = realm.send(ALICE, "[49,1,{}]");
    assert_eq!(outputs, [r#"2 ← [69,1,{"mode":"killnowait"}]"#, CANCELED]);
}

#[test]
fn every_mode_is_skip_for_a_callee_that_cannot_be_interrupted() {
    for mode in ["skip", "kill", "killnowait"] {
        let mut realm = Realm::new();
        realm.join_as(4, "dave", "user", false, 100);
        realm.send(4, r#"[64,1,{},"com.p"]"#);
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
        let outputs = realm.send(ALICE, &format!(r#"[49,1,{{"mode":"{mode}"}}]"#));
        assert_eq!(outputs, [CANCELED], "{mode}");
        assert!(realm.send(4, "[70,1,{}]").is_empty());
    }
}

#[test]
fn a_callee_is_interrupted_once() {
    let mut realm = Realm::with_call();
    realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#);
    assert!(realm.send(ALICE, r#"[49,1,{"mode":"kill"}]"#).is_empty());
    assert_eq!(
        realm.send(ALICE, r#"[49,1,{"mode":"killnowait"}]"#),
        [CANCELED]
    );
}

#[test]
fn cancelling_what_is_over_or_never_was_does_nothing() {
    let mut realm = Realm::with_call();
    realm.send(BOB, "[70,1,{}]");
    for message in ["[49,1,{}]", "[49,99,{}]"] {
        assert!(realm.send(ALICE, message).is_empty());
    }
}

#[test]
fn nobody_cancels_the_call_of_another() {
    let mut realm = Realm::with_call();
    assert!(realm.send(CAROL, "[49,1,{}]").is_empty());
    assert_eq!(realm.send(BOB, "[70,1,{}]"), ["1 ← [50,1,{}]"]);
}

#[test]
fn what_caller_and_callee_get_depends_on_the_mode_and_on_who_is_first() {
    let interrupt = |mode| format!(r#"4 ← [69,1,{{"mode":"{mode}"}}]"#);
    let (skip, kill) = (Some("skip"), Some("kill"));
    let killnowait = Some("killnowait");
    for (mode, interruptible, at_once, then) in [
        (skip, true, vec![CANCELED.to_owned()], false),
        (kill, true, vec![interrupt("kill")], true),
        (
            killnowait,
            true,
            vec![interrupt("killnowait"), CANCELED.to_owned()],
            false,
        ),
        (
            None,
            true,
            vec![interrupt("killnowait"), CANCELED.to_owned()],
            false,
        ),
        (skip, false, vec![CANCELED.to_owned()], false),
        (kill, false, vec![CANCELED.to_owned()], false),
        (killnowait, false, vec![CANCELED.to_owned()], false),
        (None, false, vec![CANCELED.to_owned()], false),
    ] {
        let options =
            mode.map_or_else(|| "{}".to_owned(), |mode| format!(r#"{{"mode":"{mode}"}}"#));
        let cancel = format!("[49,1,{options}]");
        for (answer, forwarded) in [
            ("[70,1,{},[5]]", "1 ← [50,1,{},[5]]"),
            (r#"[8,68,1,{},"wamp.error.canceled"]"#, CANCELED),
            (
                r#"[8,68,1,{},"com.bad",[1]]"#,
                r#"1 ← [8,48,1,{},"com.bad",[1]]"#,
            ),
        ] {
            let called = || {
                let mut realm = Realm::new();
                let features: &[_] = if interruptible {
                    &[CALL_CANCELING]
                } else {
                    &[]
                };
                realm.join_announcing(DAVE, features);
                realm.send(DAVE, r#"[64,1,{},"com.p"]"#);
                realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
                realm
            };
            let case = format!("{mode:?} {interruptible} {answer}");

            // The cancellation is first.
            let mut realm = called();
            assert_eq!(realm.send(ALICE, &cancel), at_once, "{case}");
            let answered = realm.send(DAVE, answer);
            let expected = if then { vec![forwarded] } else { vec![] };
            assert_eq!(answered, expected, "{case}");
            assert!(realm.state.is_idle());

            // The answer is first.
            let mut realm = called();
            assert_eq!(realm.send(DAVE, answer), [forwarded], "{case}");
            assert_eq!(realm.send(ALICE, &cancel), [""; 0], "{case}");
        }
    }
}
