//! Arguments that come in parts.
//!
//! WAMP spec, "Progressive Call Invocations".

use super::*;

/// She sends arguments in parts.
const ERIN: u64 = 5;
const CALLEE: (RoleName, Feature) = (RoleName::Callee, Feature::ProgressiveCallInvocations);
const CALLER: (RoleName, Feature) = (RoleName::Caller, Feature::ProgressiveCallInvocations);
const PROGRESS: (RoleName, Feature) = (RoleName::Callee, Feature::ProgressiveCallResults);

/// A realm with Erin, where Dave, who announced this, registered `com.p`.
fn realm(features: &[(RoleName, Feature)], options: &str) -> Realm {
    let mut realm = Realm::new();
    realm.join_announcing(DAVE, features);
    realm.join_announcing(ERIN, &[CALLER]);
    realm.send(DAVE, &format!(r#"[64,1,{options},"com.p"]"#));
    realm
}

/// The same, with the first part of Erin's call.
fn called() -> Realm {
    let mut realm = realm(&[CALL_CANCELING, CALLEE, PROGRESS], "{}");
    let outputs = realm.send(ERIN, r#"[48,1,{"progress":true},"com.p",[1]]"#);
    assert_eq!(outputs, [r#"4 ← [68,1,1,{"progress":true},[1]]"#]);
    realm
}

#[test]
fn all_parts_of_a_call_have_one_id_and_so_have_those_of_its_invocation() {
    let mut realm = called();
    let outputs = realm.send(ERIN, r#"[48,1,{"progress":true},"com.p",[2]]"#);
    assert_eq!(outputs, [r#"4 ← [68,1,1,{"progress":true},[2]]"#]);
    for last in ["{}", r#"{"progress":false}"#] {
        let mut realm = called();
        let outputs = realm.send(ERIN, &format!(r#"[48,1,{last},"com.p",[],{{"a":3}}]"#));
        assert_eq!(outputs, [r#"4 ← [68,1,1,{},[],{"a":3}]"#]);
        assert_eq!(realm.send(DAVE, "[70,1,{}]"), ["5 ← [50,1,{}]"]);
    }
}

#[test]
fn other_requests_and_other_invocations_may_come_between_the_parts() {
    let mut realm = called();
    realm.send(ERIN, r#"[32,2,{},"com.t"]"#);
    let outputs = realm.send(ERIN, r#"[48,3,{},"com.p"]"#);
    assert_eq!(outputs, ["4 ← [68,2,1,{}]"]);
    let outputs = realm.send(ERIN, r#"[48,1,{},"com.p"]"#);
    assert_eq!(outputs, ["4 ← [68,1,1,{}]"]);
    realm.send(ERIN, r#"[48,4,{},"com.p"]"#);
}

#[test]
fn a_gap_is_a_violation_all_the_same() {
    let mut realm = called();
    let call = r#"[48,3,{"progress":true},"com.p"]"#;
    assert!(is_abort(&realm.violate(ERIN, call), ERIN));
}

#[test]
fn results_may_come_before_the_last_part() {
    let mut realm = realm(&[CALL_CANCELING, CALLEE, PROGRESS], "{}");
    let options = r#"{"progress":true,"receive_progress":true}"#;
    let outputs = realm.send(ERIN, &format!(r#"[48,1,{options},"com.p"]"#));
    let details = r#"{"receive_progress":true,"progress":true}"#;
    assert_eq!(outputs, [format!("4 ← [68,1,1,{details}]")]);
    let outputs = realm.send(DAVE, r#"[70,1,{"progress":true},[1]]"#);
    assert_eq!(outputs, [r#"5 ← [50,1,{"progress":true},[1]]"#]);
    realm.send(ERIN, r#"[48,1,{"progress":true},"com.p"]"#);
    assert_eq!(realm.send(DAVE, "[70,1,{}]"), ["5 ← [50,1,{}]"]);
    assert!(realm.state.is_idle());
}

#[test]
fn a_callee_that_lacks_one_of_the_features_fails_the_call() {
    for features in [&[][..], &[CALL_CANCELING], &[CALLEE]] {
        let mut realm = realm(features, "{}");
        let outputs = realm.send(ERIN, r#"[48,1,{"progress":true},"com.p"]"#);
        assert!(outputs[0].starts_with("5 ← [8,48,1,"), "{features:?}");
        assert!(outputs[0].ends_with(r#""wamp.error.feature_not_supported"]"#));
        // Erin does not know yet.
        let outputs = realm.send(ERIN, r#"[48,1,{},"com.p"]"#);
        assert_eq!(outputs, [""; 0]);
        realm.send(ERIN, r#"[48,2,{},"com.p"]"#);
    }
}

#[test]
fn the_router_s_own_procedures_take_their_arguments_at_once() {
    let mut realm = realm(&[], "{}");
    for (call, procedure) in [(1, "wamp.session.count"), (2, "wamp.session.get")] {
        let message = format!(r#"[48,{call},{{"progress":true}},"{procedure}"]"#);
        let outputs = realm.send(ERIN, &message);
        assert!(outputs[0].ends_with(r#""wamp.error.feature_not_supported"]"#));
        assert_eq!(realm.send(ERIN, &message), [""; 0]);
    }
}

#[test]
fn a_part_for_a_call_that_is_over_is_discarded() {
    type End = fn(&mut Realm);
    let ends: [End; 6] = [
        |realm| _ = realm.send(DAVE, "[70,1,{}]"),
        |realm| _ = realm.send(DAVE, r#"[8,68,1,{},"com.bad"]"#),
        |realm| _ = realm.send(ERIN, "[49,1,{}]"),
        |realm| _ = realm.send(ERIN, r#"[49,1,{"mode":"skip"}]"#),
        |realm| _ = realm.send(ERIN, r#"[49,1,{"mode":"kill"}]"#),
        |realm| _ = realm.leave(DAVE),
    ];
    for end in ends {
        let mut realm = called();
        end(&mut realm);
        for part in [
            r#"[48,1,{"progress":true},"com.p"]"#,
            r#"[48,1,{},"com.p"]"#,
        ] {
            assert_eq!(realm.send(ERIN, part), [""; 0]);
        }
        realm.send(ERIN, r#"[48,2,{},"com.p"]"#);
    }
}

#[test]
fn a_part_after_the_last_one_is_a_violation() {
    for part in [
        r#"[48,1,{},"com.p"]"#,
        r#"[48,1,{"progress":true},"com.p"]"#,
    ] {
        let mut realm = called();
        realm.send(ERIN, r#"[48,1,{},"com.p"]"#);
        let outputs = realm.violate(ERIN, part);
        assert!(is_abort(&outputs, ERIN), "{outputs:?}");
        assert!(outputs.contains(&r#"4 ← [69,1,{"mode":"killnowait"}]"#.to_owned()));
    }
}

#[test]
fn a_part_of_a_call_that_was_whole_is_a_violation() {
    let mut realm = realm(&[CALL_CANCELING, CALLEE], "{}");
    realm.send(ERIN, r#"[48,1,{},"com.p"]"#);
    let part = r#"[48,1,{"progress":true},"com.p"]"#;
    assert!(is_abort(&realm.violate(ERIN, part), ERIN));
}

#[test]
fn a_part_with_another_procedure_is_a_violation() {
    let long = "x".repeat(LONGEST_URI + 1);
    for procedure in ["com.q", &long] {
        let mut realm = called();
        let part = format!(r#"[48,1,{{}},"{procedure}"]"#);
        assert!(is_abort(&realm.violate(ERIN, &part), ERIN));
    }
    let mut realm = called();
    let mut flow = Flow::Open;
    let outputs = realm.step(|state, out| {
        let kind = Some(RequestKind::Call);
        flow = state.refuse_uri(id(ERIN), kind, RequestId::MIN, "bad", out);
    });
    assert_eq!(flow, Flow::Closed);
    assert!(is_abort(&outputs, ERIN));
}

#[test]
fn a_late_part_with_another_procedure_is_discarded() {
    let mut realm = called();
    realm.send(DAVE, "[70,1,{}]");
    let long = "x".repeat(LONGEST_URI + 1);
    for procedure in ["com.q", &long] {
        let outputs = realm.send(ERIN, &format!(r#"[48,1,{{}},"{procedure}"]"#));
        assert_eq!(outputs, [""; 0]);
    }
    let outputs = realm.step(|state, out| {
        let kind = Some(RequestKind::Call);
        let flow = state.refuse_uri(id(ERIN), kind, RequestId::MIN, "bad", out);
        assert_eq!(flow, Flow::Open);
    });
    assert_eq!(outputs, [""; 0]);
}

#[test]
fn a_caller_that_did_not_announce_it_must_not_send_parts() {
    for call in [
        r#"[48,1,{"progress":true},"com.p"]"#,
        r#"[48,1,{"progress":true},"com.none"]"#,
        r#"[48,1,{"progress":true},"wamp.session.count"]"#,
    ] {
        let mut realm = realm(&[CALL_CANCELING, CALLEE], "{}");
        assert!(is_abort(&realm.violate(ALICE, call), ALICE), "{call}");
    }
    let mut realm = realm(&[CALL_CANCELING, CALLEE], "{}");
    realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
    realm.send(DAVE, "[70,1,{}]");
    let again = r#"[48,1,{},"com.p"]"#;
    assert!(is_abort(&realm.violate(ALICE, again), ALICE));
}

#[test]
fn the_options_of_the_first_part_hold_for_all() {
    let mut realm = realm(&[CALL_CANCELING, CALLEE, PROGRESS], "{}");
    let options = r#"{"progress":true,"disclose_me":true,"receive_progress":true,"timeout":100}"#;
    realm.send(ERIN, &format!(r#"[48,1,{options},"com.p"]"#));
    realm.pass(50);
    let other =
        r#"{"progress":true,"disclose_me":false,"receive_progress":false,"timeout":900,"x_a":1}"#;
    let outputs = realm.send(ERIN, &format!(r#"[48,1,{other},"com.p"]"#));
    let caller = r#""caller":5,"caller_authid":"dave","caller_authrole":"user""#;
    let details = format!(r#"{{{caller},"receive_progress":true,"progress":true}}"#);
    assert_eq!(outputs, [format!("4 ← [68,1,1,{details}]")]);
    assert_eq!(realm.due(), Some(50));
    let outputs = realm.send(DAVE, r#"[70,1,{"progress":true}]"#);
    assert_eq!(outputs, [r#"5 ← [50,1,{"progress":true}]"#]);
    assert_eq!(realm.due(), Some(100));
}

#[test]
fn each_part_names_the_procedure_of_a_pattern() {
    let mut realm = realm(&[CALL_CANCELING, CALLEE], r#"{"match":"prefix"}"#);
    realm.send(ERIN, r#"[48,1,{"progress":true},"com.p.q"]"#);
    let outputs = realm.send(ERIN, r#"[48,1,{},"com.p.q"]"#);
    assert_eq!(outputs, [r#"4 ← [68,1,1,{"procedure":"com.p.q"}]"#]);
}

#[test]
fn all_parts_go_to_one_callee() {
    let shared = r#"{"invoke":"roundrobin"}"#;
    let mut realm = realm(&[CALL_CANCELING, CALLEE], shared);
    realm.send(BOB, &format!(r#"[64,1,{shared},"com.p"]"#));
    for _ in 0..3 {
        let outputs = realm.send(ERIN, r#"[48,1,{"progress":true},"com.p"]"#);
        assert_eq!(outputs, [r#"4 ← [68,1,1,{"progress":true}]"#]);
    }
}

#[test]
fn parts_go_on_after_the_callee_has_unregistered() {
    let mut realm = called();
    realm.send(DAVE, "[66,2,1]");
    let outputs = realm.send(ERIN, r#"[48,1,{},"com.p"]"#);
    assert_eq!(outputs, ["4 ← [68,1,1,{}]"]);
}

#[test]
fn a_caller_that_leaves_or_cancels_stops_the_callee() {
    let mut realm = called();
    let outputs = realm.leave(ERIN);
    assert_eq!(outputs, [r#"4 ← [69,1,{"mode":"killnowait"}]"#]);
    let mut realm = called();
    let outputs = realm.send(ERIN, "[49,1,{}]");
    assert_eq!(outputs[0], r#"4 ← [69,1,{"mode":"killnowait"}]"#);
}

#[test]
fn a_part_that_the_callee_cannot_get_fails_the_call_and_stops_it() {
    let mut realm = Realm::new();
    realm.join_taking(DAVE, &[CALL_CANCELING, CALLEE], Some(50));
    realm.join_announcing(ERIN, &[CALLER]);
    realm.send(DAVE, r#"[64,1,{},"com.p"]"#);
    let outputs = realm.send(ERIN, r#"[48,1,{"progress":true},"com.p",[1]]"#);
    assert_eq!(outputs, [r#"4 ← [68,1,1,{"progress":true},[1]]"#]);
    let long = "x".repeat(50);
    let outputs = realm.send(ERIN, &format!(r#"[48,1,{{}},"com.p",["{long}"]]"#));
    assert_eq!(outputs[0], r#"4 ← [69,1,{"mode":"killnowait"}]"#);
    assert!(outputs[1].ends_with(r#""wamp.error.payload_size_exceeded"]"#));
    assert!(realm.state.is_idle());
    assert_eq!(realm.send(ERIN, r#"[48,1,{},"com.p"]"#), [""; 0]);
}

#[test]
fn a_part_that_could_not_be_sent_fails_the_call_and_stops_the_callee() {
    let mut realm = called();
    let outputs = realm.step(|state, out| {
        state.undelivered(id(DAVE), RequestId::MIN, Undeliverable::TooLarge, out);
    });
    assert_eq!(outputs[0], r#"4 ← [69,1,{"mode":"killnowait"}]"#);
    assert!(outputs[1].ends_with(r#""wamp.error.payload_size_exceeded"]"#));
}

#[test]
fn a_call_that_ends_while_a_part_is_prepared_gets_it_no_more() {
    let mut realm = Realm::new();
    realm.join_taking(DAVE, &[CALL_CANCELING, CALLEE], Some(100));
    realm.join_announcing(ERIN, &[CALLER]);
    realm.send(DAVE, r#"[64,1,{},"com.p"]"#);
    realm.send(ERIN, r#"[48,1,{"progress":true},"com.p"]"#);
    let work = realm.begin_work(ERIN, r#"[48,1,{},"com.p"]"#);
    assert_eq!(realm.send(DAVE, "[70,1,{}]"), ["5 ← [50,1,{}]"]);
    let (handled, outputs) = realm.finish(ERIN, work);
    assert!(matches!(handled, Handled::Now(Flow::Open)));
    assert_eq!(outputs, [""; 0]);
}
