//! The rules of broker and dealer, by plain calls: what a session sends, and who gets what.
//!
//! Messages are written as JSON. Each output is a line `receiver ← message`.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use spell_message::{Feature, RoleName, SessionId, message::RequestKind};
use spell_serializer::{Json, Serializer};

use super::*;
use crate::{carrier::Undeliverable, environment::Moment, outbound::lock};

mod audience;
mod caller_identification;
mod canceling;
mod history;
mod identification;
mod meta;
mod parts;
mod passthru;
mod progress;
mod registration_revocation;
mod reregistration;
mod rerouting;
mod retention;
mod revocation;
mod router_events;
mod sharing;
mod subscriptions;
mod timeouts;

const ALICE: u64 = 1;
const BOB: u64 = 2;
const CAROL: u64 = 3;
const DAVE: u64 = 4;

const CALL_CANCELING: (RoleName, Feature) = (RoleName::Callee, Feature::CallCanceling);

struct Realm {
    state: RealmState,
    now: Arc<Mutex<Moment>>,
}

impl Realm {
    /// A realm with Alice, who has the role `admin`, Bob and Carol, who have the role `user`; all
    /// can be interrupted. The first publication has the id 1001.
    fn new() -> Self {
        Self::with_quotas(Quotas::default())
    }

    fn with_quotas(quotas: Quotas) -> Self {
        let mut realm = Self::empty(quotas);
        realm.join(ALICE, "alice", "admin");
        realm.join(BOB, "bob", "user");
        realm.join(CAROL, "carol", "user");
        realm
    }

    fn empty(quotas: Quotas) -> Self {
        let mut next = 999_u64;
        let random = Box::new(move || {
            next += 1;
            next << 11
        });
        let now = Arc::new(Mutex::new((Environment::real().clock)()));
        let clock = Arc::clone(&now);
        let environment = Environment {
            random,
            clock: Box::new(move || *lock(&clock)),
        };
        Self {
            state: RealmState::new(environment, quotas),
            now,
        }
    }

    /// What comes of some time, in milliseconds.
    fn pass(&mut self, time: u64) -> Vec<String> {
        let time = Duration::from_millis(time);
        {
            let mut now = lock(&self.now);
            now.instant += time;
            now.system += time;
        }
        self.step(RealmState::expire)
    }

    /// In how many milliseconds something is due.
    fn due(&self) -> Option<u128> {
        let deadline = self.state.next_deadline()?;
        Some((deadline - lock(&self.now).instant).as_millis())
    }

    /// What comes of a step that no message asks for.
    fn step<T>(&mut self, step: impl FnOnce(&mut RealmState, &mut Outputs) -> T) -> Vec<String> {
        let mut out = Outputs::default();
        step(&mut self.state, &mut out);
        lines(out)
    }

    fn join(&mut self, session: u64, authid: &str, authrole: &str) {
        self.join_as(session, authid, authrole, true, 100);
    }

    fn join_as(
        &mut self,
        session: u64,
        authid: &str,
        authrole: &str,
        interruptible: bool,
        limit: usize,
    ) {
        let principal = Principal {
            authid: authid.to_owned(),
            authrole: authrole.to_owned(),
            method: Method::Anonymous,
            trustlevel: None,
        };
        let line = Line::new(Json::new().into(), Some(limit));
        let announced = if interruptible {
            Announced::default().with(RoleName::Callee, Feature::CallCanceling)
        } else {
            Announced::default()
        };
        let out = &mut Outputs::default();
        self.state
            .join(id(session), principal, announced, line, out);
    }

    /// Dave or another one with the role `user`, who announced these features of their roles.
    fn join_announcing(&mut self, session: u64, features: &[(RoleName, Feature)]) {
        self.join_taking(session, features, None);
    }

    /// The same, for someone who takes no larger messages.
    fn join_taking(
        &mut self,
        session: u64,
        features: &[(RoleName, Feature)],
        limit: Option<usize>,
    ) {
        let principal = Principal {
            authid: "dave".to_owned(),
            authrole: "user".to_owned(),
            method: Method::Anonymous,
            trustlevel: None,
        };
        let line = Line::new(Json::new().into(), limit);
        let announced = features
            .iter()
            .fold(Announced::default(), |known, (role, feature)| {
                known.with(*role, *feature)
            });
        self.step(|state, out| state.join(id(session), principal, announced, line, out));
    }

    /// The outputs of a message after which the session lives.
    fn send(&mut self, from: u64, message: &str) -> Vec<String> {
        let (flow, outputs) = self.try_send(from, message);
        assert_eq!(flow, Flow::Open, "{message}: {outputs:?}");
        outputs
    }

    /// The outputs of a message after which the session is over.
    fn violate(&mut self, from: u64, message: &str) -> Vec<String> {
        let (flow, outputs) = self.try_send(from, message);
        assert_eq!(flow, Flow::Closed, "{message}: {outputs:?}");
        outputs
    }

    fn try_send(&mut self, from: u64, message: &str) -> (Flow, Vec<String>) {
        let (mut handled, mut outputs) = self.begin(from, message);
        loop {
            match handled {
                Handled::Now(flow) => return (flow, outputs),
                Handled::After(work) => {
                    let more;
                    (handled, more) = self.finish(from, *work);
                    outputs.extend(more);
                }
            }
        }
    }

    /// Sends, but leaves the work to be done.
    fn begin(&mut self, from: u64, message: &str) -> (Handled, Vec<String>) {
        let frame = Bytes::copy_from_slice(message.as_bytes());
        let message = Json::new().decode(&frame).expect(message);
        let mut out = Outputs::default();
        let handled = self.state.handle(id(from), message, &mut out);
        (handled, lines(out))
    }

    /// Sends what takes work.
    fn begin_work(&mut self, from: u64, message: &str) -> Work {
        match self.begin(from, message) {
            (Handled::After(work), outputs) if outputs.is_empty() => *work,
            other => panic!("{other:?}"),
        }
    }

    /// Does the work.
    fn finish(&mut self, from: u64, work: Work) -> (Handled, Vec<String>) {
        let mut out = Outputs::default();
        let handled = self.state.resume(id(from), work.finish(), &mut out);
        (handled, lines(out))
    }

    fn leave(&mut self, session: u64) -> Vec<String> {
        let mut out = Outputs::default();
        self.state.leave(id(session), &mut out);
        lines(out)
    }

    /// Registers `com.p` for Bob and lets Alice call it: her call 1 is his invocation 1.
    fn with_call() -> Self {
        let mut realm = Self::new();
        realm.send(BOB, r#"[64,1,{},"com.p"]"#);
        let outputs = realm.send(ALICE, r#"[48,1,{},"com.p",[1]]"#);
        assert_eq!(outputs, ["2 ← [68,1,1,{},[1]]"]);
        realm
    }
}

impl Drop for Realm {
    /// Whatever a test does: nothing is left once everyone has gone.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let members: Vec<_> = self.state.members.keys().copied().collect();
        for session in members {
            self.state.leave(session, &mut Outputs::default());
        }
        assert!(self.state.is_empty(), "something is left behind");
    }
}

fn id(session: u64) -> SessionId {
    SessionId::new(session).unwrap()
}

fn lines(mut out: Outputs) -> Vec<String> {
    let line = |(to, outgoing): (SessionId, crate::outgoing::Outgoing)| {
        let mut frame = BytesMut::new();
        Json::new()
            .encode(&outgoing.into_message(), &mut frame)
            .unwrap();
        format!("{to} ← {}", String::from_utf8(frame.to_vec()).unwrap())
    };
    out.drain().map(line).collect()
}

fn is_abort(outputs: &[String], session: u64) -> bool {
    let abort = format!("{session} ← [3,");
    outputs.iter().any(|line| {
        line.starts_with(&abort) && line.ends_with(r#""wamp.error.protocol_violation"]"#)
    })
}

mod requests {
    use super::*;

    #[test]
    fn all_kinds_share_one_sequence_of_ids() {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[32,1,{},"com.t"]"#);
        realm.send(ALICE, r#"[16,2,{},"com.t"]"#);
        realm.send(ALICE, r#"[64,3,{},"com.p"]"#);
        realm.send(ALICE, r#"[48,4,{},"com.none"]"#);
        realm.send(ALICE, "[66,5,1]");
        realm.send(ALICE, "[34,6,1]");
    }

    #[test]
    fn sessions_count_apart() {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[32,1,{},"com.t"]"#);
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    }

    #[test]
    fn a_gap_is_a_violation() {
        let mut realm = Realm::new();
        let outputs = realm.violate(ALICE, r#"[32,2,{},"com.t"]"#);
        assert_eq!(
            outputs,
            [
                r#"1 ← [3,{"message":"request id 2 where 1 was next"},"wamp.error.protocol_violation"]"#
            ]
        );
    }

    #[test]
    fn a_repetition_is_a_violation() {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[16,1,{},"com.t"]"#);
        assert!(is_abort(
            &realm.violate(ALICE, r#"[48,1,{},"com.p"]"#),
            ALICE
        ));
    }

    #[test]
    fn a_refused_request_spends_its_id() {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[48,1,{},"com.none"]"#);
        realm.send(ALICE, r#"[48,2,{},"com.none"]"#);
    }

    #[test]
    fn a_violation_disposes_of_all_that_the_session_had() {
        let mut realm = Realm::with_call();
        realm.send(BOB, r#"[32,2,{},"com.t"]"#);
        let outputs = realm.violate(BOB, r#"[32,9,{},"com.t"]"#);
        assert!(is_abort(&outputs, BOB));
        assert_eq!(outputs[1], r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#);
        assert!(realm.send(ALICE, r#"[16,2,{},"com.t"]"#).is_empty());
        let outputs = realm.send(ALICE, r#"[48,3,{},"com.p"]"#);
        assert_eq!(
            outputs,
            [r#"1 ← [8,48,3,{},"wamp.error.no_such_procedure"]"#]
        );
    }

    #[test]
    fn messages_that_a_client_must_not_send_are_violations() {
        for message in [
            r#"[1,"realm1",{"roles":{"caller":{}}}]"#,
            r#"[2,1,{"roles":{"broker":{}}}]"#,
            r#"[4,"ticket",{}]"#,
            r#"[5,"",{}]"#,
            "[17,1,1]",
            "[33,1,1]",
            "[35,1]",
            "[36,1,1,{}]",
            "[50,1,{}]",
            "[65,1,1]",
            "[67,1]",
            "[68,1,1,{}]",
            "[69,1,{}]",
            "[337,1]",
            r#"[8,48,1,{},"com.error"]"#,
            r#"[8,32,1,{},"com.error"]"#,
            "[7,1]",
            "[300,1]",
        ] {
            let mut realm = Realm::new();
            assert!(is_abort(&realm.violate(ALICE, message), ALICE), "{message}");
        }
    }

    #[test]
    fn an_invalid_uri_fails_the_request_spends_its_id_and_the_session_lives() {
        let mut realm = Realm::new();
        let mut out = Outputs::default();
        let kind = Some(RequestKind::Call);
        let flow = realm
            .state
            .refuse_uri(id(ALICE), kind, RequestId::MIN, "bad", &mut out);
        assert_eq!(flow, Flow::Open);
        assert_eq!(
            lines(out),
            [r#"1 ← [8,48,1,{"message":"bad"},"wamp.error.invalid_uri"]"#]
        );
        realm.send(ALICE, r#"[16,2,{},"com.t"]"#);
    }

    #[test]
    fn an_invalid_uri_in_an_unacknowledged_publish_only_spends_its_id() {
        let mut realm = Realm::new();
        let mut out = Outputs::default();
        let flow = realm
            .state
            .refuse_uri(id(ALICE), None, RequestId::MIN, "bad", &mut out);
        assert_eq!((flow, lines(out)), (Flow::Open, vec![]));
        realm.send(ALICE, r#"[16,2,{},"com.t"]"#);
    }
}

mod broker {
    use super::*;

    #[test]
    fn an_event_goes_to_the_subscribers_and_not_to_its_publisher() {
        let mut realm = Realm::new();
        assert_eq!(realm.send(ALICE, r#"[32,1,{},"com.t"]"#), ["1 ← [33,1,1]"]);
        assert_eq!(realm.send(BOB, r#"[32,1,{},"com.t"]"#), ["2 ← [33,1,1]"]);
        let outputs = realm.send(ALICE, r#"[16,2,{},"com.t",[1],{"a":2}]"#);
        assert_eq!(outputs, [r#"2 ← [36,1,1001,{},[1],{"a":2}]"#]);
    }

    #[test]
    fn exclude_me_false_includes_the_publisher() {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[32,1,{},"com.t"]"#);
        let outputs = realm.send(ALICE, r#"[16,2,{"exclude_me":false},"com.t"]"#);
        assert_eq!(outputs, ["1 ← [36,1,1001,{}]"]);
    }

    #[test]
    fn only_an_acknowledged_publish_is_answered() {
        let mut realm = Realm::new();
        assert!(
            realm
                .send(ALICE, r#"[16,1,{"acknowledge":false},"com.t"]"#)
                .is_empty()
        );
        let outputs = realm.send(ALICE, r#"[16,2,{"acknowledge":true},"com.t"]"#);
        assert_eq!(outputs, ["1 ← [17,2,1002]"]);
    }

    #[test]
    fn subscribing_twice_gives_the_same_id_and_one_event() {
        let mut realm = Realm::new();
        assert_eq!(realm.send(BOB, r#"[32,1,{},"com.t"]"#), ["2 ← [33,1,1]"]);
        assert_eq!(realm.send(BOB, r#"[32,2,{},"com.t"]"#), ["2 ← [33,2,1]"]);
        assert_eq!(realm.send(ALICE, r#"[16,1,{},"com.t"]"#).len(), 1);
    }

    #[test]
    fn unsubscribing_once_ends_what_was_subscribed_twice() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
        realm.send(BOB, r#"[32,2,{},"com.t"]"#);
        assert_eq!(realm.send(BOB, "[34,3,1]"), ["2 ← [35,3]"]);
        assert!(realm.send(ALICE, r#"[16,1,{},"com.t"]"#).is_empty());
    }

    #[test]
    fn unsubscribing_what_is_not_subscribed_is_refused() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
        for message in ["[34,1,1]", "[34,2,77]"] {
            let outputs = realm.send(ALICE, message);
            assert!(outputs[0].ends_with(r#"{},"wamp.error.no_such_subscription"]"#));
            assert!(outputs[0].starts_with("1 ← [8,34,"));
        }
        assert_eq!(realm.send(CAROL, r#"[16,1,{},"com.t"]"#).len(), 1);
    }

    #[test]
    fn a_topic_that_nobody_subscribes_any_more_gets_a_new_id() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
        realm.send(BOB, "[34,2,1]");
        assert_eq!(realm.send(BOB, r#"[32,3,{},"com.t"]"#), ["2 ← [33,3,2]"]);
    }

    #[test]
    fn an_event_for_a_pattern_names_its_topic() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{"match":"prefix"},"com."]"#);
        realm.send(CAROL, r#"[32,1,{"match":"wildcard"},"com..x"]"#);
        let mut outputs = realm.send(ALICE, r#"[16,1,{},"com.a.x"]"#);
        outputs.sort();
        assert_eq!(
            outputs,
            [
                r#"2 ← [36,1,1001,{"topic":"com.a.x"}]"#,
                r#"3 ← [36,2,1001,{"topic":"com.a.x"}]"#,
            ]
        );
    }

    #[test]
    fn the_same_text_with_another_match_is_another_subscription() {
        let mut realm = Realm::new();
        assert_eq!(realm.send(BOB, r#"[32,1,{},"com.t"]"#), ["2 ← [33,1,1]"]);
        let prefix = r#"[32,2,{"match":"prefix"},"com.t"]"#;
        assert_eq!(realm.send(BOB, prefix), ["2 ← [33,2,2]"]);
        let outputs = realm.send(ALICE, r#"[16,1,{},"com.t"]"#);
        assert_eq!(
            outputs,
            ["2 ← [36,1,1001,{}]", r#"2 ← [36,2,1001,{"topic":"com.t"}]"#]
        );
    }

    #[test]
    fn lists_restrict_who_gets_an_event() {
        for (options, receivers) in [
            ("{}", "2 3"),
            (r#"{"exclude":[2]}"#, "3"),
            (r#"{"exclude_authid":["bob","carol"]}"#, ""),
            (r#"{"exclude_authrole":["user"]}"#, ""),
            (r#"{"eligible":[2]}"#, "2"),
            (r#"{"eligible":[2],"exclude":[2]}"#, ""),
            (r#"{"eligible_authid":["carol"]}"#, "3"),
            (
                r#"{"eligible_authrole":["user"],"exclude_authid":["bob"]}"#,
                "3",
            ),
            (r#"{"eligible":[2,3],"eligible_authid":["bob"]}"#, "2"),
            (r#"{"eligible":[1]}"#, ""),
            (r#"{"eligible":[1],"exclude_me":false}"#, "1"),
            (r#"{"exclude":[1],"exclude_me":false}"#, "2 3"),
        ] {
            let mut realm = Realm::new();
            for session in [ALICE, BOB, CAROL] {
                realm.send(session, r#"[32,1,{},"com.t"]"#);
            }
            let outputs = realm.send(ALICE, &format!(r#"[16,2,{options},"com.t"]"#));
            let found: Vec<_> = outputs.iter().map(|line| &line[..1]).collect();
            assert_eq!(found.join(" "), receivers, "{options}");
        }
    }

    #[test]
    fn an_empty_list_of_those_eligible_means_nobody() {
        for key in ["eligible", "eligible_authid", "eligible_authrole"] {
            let mut realm = Realm::new();
            realm.send(BOB, r#"[32,1,{},"com.t"]"#);
            let outputs = realm.send(ALICE, &format!(r#"[16,1,{{"{key}":[]}},"com.t"]"#));
            assert!(outputs.is_empty(), "{key}");
        }
    }

    #[test]
    fn an_event_names_its_publisher_only_where_that_was_asked_for() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
        let outputs = realm.send(ALICE, r#"[16,1,{"disclose_me":true},"com.t",[1]]"#);
        assert_eq!(
            outputs,
            [
                r#"2 ← [36,1,1001,{"publisher":1,"publisher_authid":"alice","publisher_authrole":"admin"},[1]]"#
            ]
        );
        for options in ["{}", r#"{"disclose_me":false}"#] {
            let request = if options == "{}" { 2 } else { 3 };
            let outputs = realm.send(ALICE, &format!(r#"[16,{request},{options},"com.t"]"#));
            assert!(outputs[0].ends_with(",{}]"), "{outputs:?}");
        }
    }

    #[test]
    fn applications_cannot_publish_below_wamp_but_subscribe() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{},"wamp.session.on_join"]"#);
        realm.send(BOB, r#"[32,2,{"match":"prefix"},""]"#);
        let topic = "wamp.session.on_join";
        assert!(
            realm
                .send(ALICE, &format!(r#"[16,1,{{}},"{topic}"]"#))
                .is_empty()
        );
        let outputs = realm.send(
            ALICE,
            &format!(r#"[16,2,{{"acknowledge":true}},"{topic}"]"#),
        );
        assert_eq!(
            outputs,
            [
                r#"1 ← [8,16,2,{"message":"URIs below \"wamp\" are reserved"},"wamp.error.invalid_uri"]"#
            ]
        );
    }

    #[test]
    fn a_session_that_left_gets_no_events() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[32,1,{},"com.t"]"#);
        assert!(realm.leave(BOB).is_empty());
        assert!(realm.send(ALICE, r#"[16,1,{},"com.t"]"#).is_empty());
    }

    #[test]
    fn sessions_of_another_realm_get_nothing() {
        let mut realm = Realm::new();
        let mut other = Realm::new();
        other.send(BOB, r#"[32,1,{},"com.t"]"#);
        assert!(realm.send(ALICE, r#"[16,1,{},"com.t"]"#).is_empty());
    }
}

mod dealer {
    use super::*;

    #[test]
    fn a_call_goes_to_the_callee_and_its_result_back() {
        let mut realm = Realm::new();
        let outputs = realm.send(BOB, r#"[64,1,{},"com.p"]"#);
        assert_eq!(outputs, ["2 ← [65,1,1]"]);
        let outputs = realm.send(ALICE, r#"[48,1,{},"com.p",[1],{"a":2}]"#);
        assert_eq!(outputs, [r#"2 ← [68,1,1,{},[1],{"a":2}]"#]);
        let outputs = realm.send(BOB, r#"[70,1,{},[3],{"b":4}]"#);
        assert_eq!(outputs, [r#"1 ← [50,1,{},[3],{"b":4}]"#]);
        assert!(realm.state.is_idle());
    }

    #[test]
    fn invocation_ids_count_from_1_for_each_callee() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[64,1,{},"com.b"]"#);
        realm.send(CAROL, r#"[64,1,{},"com.c"]"#);
        assert_eq!(
            realm.send(ALICE, r#"[48,1,{},"com.b"]"#),
            ["2 ← [68,1,1,{}]"]
        );
        assert_eq!(
            realm.send(ALICE, r#"[48,2,{},"com.c"]"#),
            ["3 ← [68,1,2,{}]"]
        );
        assert_eq!(
            realm.send(ALICE, r#"[48,3,{},"com.b"]"#),
            ["2 ← [68,2,1,{}]"]
        );
    }

    #[test]
    fn results_come_in_any_order() {
        let mut realm = Realm::with_call();
        realm.send(ALICE, r#"[48,2,{},"com.p",[2]]"#);
        assert_eq!(realm.send(BOB, "[70,2,{}]"), ["1 ← [50,2,{}]"]);
        assert_eq!(realm.send(BOB, "[70,1,{}]"), ["1 ← [50,1,{}]"]);
    }

    #[test]
    fn a_session_can_call_itself() {
        let mut realm = Realm::new();
        realm.send(ALICE, r#"[64,1,{},"com.p"]"#);
        assert_eq!(
            realm.send(ALICE, r#"[48,2,{},"com.p"]"#),
            ["1 ← [68,1,1,{}]"]
        );
        assert_eq!(realm.send(ALICE, "[70,1,{}]"), ["1 ← [50,2,{}]"]);
    }

    #[test]
    fn an_error_reaches_the_caller_with_its_uri_and_arguments() {
        let mut realm = Realm::with_call();
        let outputs = realm.send(BOB, r#"[8,68,1,{},"com.bad",["why"],{"a":1}]"#);
        assert_eq!(outputs, [r#"1 ← [8,48,1,{},"com.bad",["why"],{"a":1}]"#]);
        assert!(realm.state.is_idle());
    }

    #[test]
    fn a_procedure_that_nobody_registered_is_no_such_procedure() {
        let mut realm = Realm::new();
        let outputs = realm.send(ALICE, r#"[48,1,{},"com.none"]"#);
        assert_eq!(
            outputs,
            [r#"1 ← [8,48,1,{},"wamp.error.no_such_procedure"]"#]
        );
    }

    #[test]
    fn a_procedure_is_registered_once_by_whomever() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[64,1,{},"com.p"]"#);
        for (session, request) in [(BOB, 2), (CAROL, 1)] {
            let outputs = realm.send(session, &format!(r#"[64,{request},{{}},"com.p"]"#));
            let error = "wamp.error.procedure_already_exists";
            assert_eq!(
                outputs,
                [format!(r#"{session} ← [8,64,{request},{{}},"{error}"]"#)]
            );
        }
        realm.send(CAROL, r#"[64,2,{"match":"prefix"},"com.p"]"#);
    }

    #[test]
    fn an_unregistered_procedure_is_gone_and_can_be_registered_again() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[64,1,{},"com.p"]"#);
        assert_eq!(realm.send(BOB, "[66,2,1]"), ["2 ← [67,2]"]);
        let outputs = realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
        assert!(outputs[0].ends_with(r#""wamp.error.no_such_procedure"]"#));
        assert_eq!(realm.send(CAROL, r#"[64,1,{},"com.p"]"#), ["3 ← [65,1,2]"]);
    }

    #[test]
    fn only_its_owner_unregisters_a_registration() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[64,1,{},"com.p"]"#);
        let error = r#"{},"wamp.error.no_such_registration"]"#;
        assert_eq!(
            realm.send(CAROL, "[66,1,1]"),
            [format!("3 ← [8,66,1,{error}")]
        );
        assert_eq!(
            realm.send(CAROL, "[66,2,9]"),
            [format!("3 ← [8,66,2,{error}")]
        );
        assert_eq!(
            realm.send(ALICE, r#"[48,1,{},"com.p"]"#),
            ["2 ← [68,1,1,{}]"]
        );
    }

    #[test]
    fn an_invocation_under_way_outlives_its_registration() {
        let mut realm = Realm::with_call();
        realm.send(BOB, "[66,2,1]");
        assert_eq!(realm.send(BOB, "[70,1,{},[7]]"), ["1 ← [50,1,{},[7]]"]);
    }

    #[test]
    fn an_invocation_of_a_pattern_names_the_procedure() {
        let mut realm = Realm::new();
        realm.send(BOB, r#"[64,1,{"match":"prefix"},"com."]"#);
        realm.send(CAROL, r#"[64,1,{"match":"wildcard"},"com..x"]"#);
        let outputs = realm.send(ALICE, r#"[48,1,{},"com.a.x"]"#);
        assert_eq!(outputs, [r#"2 ← [68,1,1,{"procedure":"com.a.x"}]"#]);
        realm.send(ALICE, r#"[64,2,{},"com.a.x"]"#);
        assert_eq!(
            realm.send(CAROL, r#"[48,2,{},"com.a.x"]"#),
            ["1 ← [68,1,3,{}]"]
        );
    }

    #[test]
    fn applications_cannot_register_below_wamp_nor_catch_calls_to_it() {
        let mut realm = Realm::new();
        for (request, pattern) in [
            (1, r#"{},"wamp.session.count""#),
            (2, r#"{"match":"prefix"},"wamp""#),
            (3, r#"{"match":"wildcard"},"wamp..count""#),
        ] {
            let outputs = realm.send(BOB, &format!("[64,{request},{pattern}]"));
            assert!(
                outputs[0].ends_with(r#""wamp.error.invalid_uri"]"#),
                "{pattern}"
            );
        }
        realm.send(BOB, r#"[64,4,{"match":"prefix"},""]"#);
        realm.send(BOB, r#"[64,5,{"match":"wildcard"},".."]"#);
        let outputs = realm.send(ALICE, r#"[48,1,{},"wamp.session.unheard_of"]"#);
        assert!(outputs[0].ends_with(r#""wamp.error.no_such_procedure"]"#));
    }

    #[test]
    fn a_callee_that_leaves_fails_the_calls_it_works_on() {
        let mut realm = Realm::with_call();
        let outputs = realm.leave(BOB);
        assert_eq!(outputs, [r#"1 ← [8,48,1,{},"wamp.error.canceled"]"#]);
        let outputs = realm.send(ALICE, r#"[48,2,{},"com.p"]"#);
        assert!(outputs[0].ends_with(r#""wamp.error.no_such_procedure"]"#));
    }

    #[test]
    fn a_callee_is_interrupted_when_its_caller_leaves() {
        let mut realm = Realm::with_call();
        let outputs = realm.leave(ALICE);
        assert_eq!(outputs, [r#"2 ← [69,1,{"mode":"killnowait"}]"#]);
        assert!(realm.state.is_idle());
    }

    #[test]
    fn a_callee_that_cannot_be_interrupted_is_not() {
        let mut realm = Realm::new();
        realm.join_as(4, "dave", "user", false, 100);
        realm.send(4, r#"[64,1,{},"com.p"]"#);
        realm.send(ALICE, r#"[48,1,{},"com.p"]"#);
        assert!(realm.leave(ALICE).is_empty());
        assert!(realm.send(4, "[70,1,{}]").is_empty());
    }

    #[test]
    fn late_answers_are_discarded_and_the_callee_lives() {
        for late in [
            "[70,1,{}]",
            r#"[70,1,{"progress":true}]"#,
            r#"[8,68,1,{},"wamp.error.canceled"]"#,
        ] {
            let mut realm = Realm::with_call();
            realm.leave(ALICE);
            assert!(realm.send(BOB, late).is_empty(), "{late}");
        }
    }

    #[test]
    fn a_second_answer_is_discarded() {
        let mut realm = Realm::with_call();
        assert_eq!(realm.send(BOB, "[70,1,{}]").len(), 1);
        assert!(realm.send(BOB, "[70,1,{}]").is_empty());
    }

    #[test]
    fn an_answer_to_an_invocation_that_never_was_is_a_violation() {
        for answer in ["[70,2,{}]", r#"[8,68,2,{},"com.bad"]"#] {
            let mut realm = Realm::with_call();
            assert!(is_abort(&realm.violate(BOB, answer), BOB), "{answer}");
        }
        let mut realm = Realm::new();
        assert!(is_abort(&realm.violate(CAROL, "[70,1,{}]"), CAROL));
    }

    #[test]
    fn an_answer_of_one_callee_does_not_answer_for_another() {
        let mut realm = Realm::with_call();
        realm.send(CAROL, r#"[64,1,{},"com.c"]"#);
        realm.send(ALICE, r#"[48,2,{},"com.c"]"#);
        assert_eq!(realm.send(CAROL, "[70,1,{},[3]]"), ["1 ← [50,2,{},[3]]"]);
        assert_eq!(realm.send(BOB, "[70,1,{},[2]]"), ["1 ← [50,1,{},[2]]"]);
    }

    #[test]
    fn an_error_with_an_invalid_uri_fails_the_call_and_the_callee_lives() {
        let mut realm = Realm::with_call();
        let mut out = Outputs::default();
        let kind = Some(RequestKind::Invocation);
        let flow = realm
            .state
            .refuse_uri(id(BOB), kind, RequestId::MIN, "bad", &mut out);
        assert_eq!(flow, Flow::Open);
        assert!(lines(out)[0].ends_with(r#""wamp.error.invalid_uri"]"#));
        assert!(realm.state.is_idle());
    }

    #[test]
    fn a_call_too_large_for_its_callee_fails_and_spends_no_invocation_id() {
        let mut realm = Realm::new();
        realm.join_as(4, "dave", "user", true, 20);
        realm.send(4, r#"[64,1,{},"com.p"]"#);
        let outputs = realm.send(ALICE, r#"[48,1,{},"com.p",["too long"]]"#);
        assert!(outputs[0].starts_with("1 ← [8,48,1,"));
        assert!(outputs[0].ends_with(r#""wamp.error.payload_size_exceeded"]"#));
        let outputs = realm.send(ALICE, r#"[48,2,{},"com.p",[1]]"#);
        assert_eq!(outputs, ["4 ← [68,1,1,{},[1]]"]);
    }

    #[test]
    fn the_details_of_an_error_reach_the_caller_but_for_what_the_router_vouches_for() {
        let mut realm = Realm::with_call();
        let details = r#"{"message":"no","x_code":7,"callee":9,"callee_authid":"root","callee_authrole":"admin","forward_for":[],"_trace":{"a":[1]}}"#;
        let outputs = realm.send(BOB, &format!(r#"[8,68,1,{details},"com.failed",[1]]"#));
        assert_eq!(
            outputs,
            [r#"1 ← [8,48,1,{"message":"no","x_code":7,"_trace":{"a":[1]}},"com.failed",[1]]"#]
        );
    }

    #[test]
    fn an_invocation_that_could_not_be_sent_fails_the_call() {
        let mut realm = Realm::with_call();
        let mut out = Outputs::default();
        let why = Undeliverable::TooLarge;
        realm
            .state
            .undelivered(id(BOB), RequestId::MIN, why, &mut out);
        assert!(lines(out)[0].ends_with(r#""wamp.error.payload_size_exceeded"]"#));
        assert!(realm.state.is_idle());
    }

    #[test]
    fn progress_that_nobody_asked_for_is_dropped_and_the_call_lives() {
        let mut realm = Realm::with_call();
        assert!(
            realm
                .send(BOB, r#"[70,1,{"progress":true},[1]]"#)
                .is_empty()
        );
        assert_eq!(realm.send(BOB, "[70,1,{},[2]]"), ["1 ← [50,1,{},[2]]"]);
    }

    #[test]
    fn a_progressive_call_is_a_violation_of_a_caller_that_did_not_announce_it() {
        let mut realm = Realm::with_call();
        let call = r#"[48,2,{"progress":true},"com.p"]"#;
        assert!(is_abort(&realm.violate(ALICE, call), ALICE));
    }
}
