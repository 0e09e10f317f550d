//! Whether the router is still there: seconds are plain numbers.

use spell_transport::KeepAlive;

use super::*;
use crate::Probe;

const UNSUBSCRIBE: &str = "[34,{id},9007199254740992]";
const UNREGISTER: &str = "[66,{id},9007199254740992]";

/// A joined session, watched over a transport of that kind; the router names itself and has roles.
fn watched(pings: Pings, agent: &str, roles: &[RoleName]) -> Bench {
    configured(PeerConfig::default(), pings, agent, roles)
}

fn configured(config: PeerConfig, pings: Pings, agent: &str, roles: &[RoleName]) -> Bench {
    let mut bench = Bench::open(None);
    bench.engine = Engine::new((Opener::default(),), config).unwrap();
    bench.engine.open(Json::default().into(), None, bench.now);
    bench.engine.watch(pings);
    let mut announced = RoleFeatures::new();
    for role in roles {
        announced.add(*role, []);
    }
    let mut details = WelcomeDetails::new();
    details.set_roles(announced);
    details.set_agent(agent);
    bench.ask(Ask::JoinRouter(details));
    bench
}

fn broker(pings: Pings) -> Bench {
    watched(pings, "other/1", &[RoleName::Broker, RoleName::Dealer])
}

impl Bench {
    /// Let so much time pass, with a call of the engine at each of its deadlines.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while self.engine.closed().is_none()
            && let Some(due) = self.engine.poll_timeout().filter(|due| *due <= end)
        {
            self.now = due;
            self.engine.handle_timeout(due);
        }
        self.now = end;
    }

    fn silent_for(&self) -> Option<u64> {
        match self.engine.closed() {
            Some(CloseReason::Unresponsive { silent_for }) => Some(silent_for.as_secs()),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    fn sign(&mut self, sign: LifeSign) {
        self.engine.handle_life_sign(sign, self.now);
    }
}

fn with_id(frame: &str, id: u64) -> String {
    frame.replace("{id}", &id.to_string())
}

#[test]
fn a_silent_router_is_pinged_and_given_up_after_a_minute() {
    let mut bench = broker(Pings::Answered);
    bench.pass(19);
    assert_eq!(bench.engine.poll_ping(), None);
    bench.pass(1);
    assert_eq!(bench.engine.poll_ping(), Some(1));
    bench.pass(20);
    assert_eq!(bench.engine.poll_ping(), Some(2));
    bench.pass(19);
    assert_eq!(bench.silent_for(), None);
    bench.pass(1);
    assert_eq!(bench.silent_for(), Some(60));
    assert!(bench.sent().is_empty(), "nothing beside pings");
}

#[test]
fn a_router_may_be_given_up_after_two_seconds() {
    let config = PeerConfig {
        keep_alive: Some(KeepAlive::within(Duration::from_secs(2))),
        ..PeerConfig::default()
    };
    let mut bench = configured(config, Pings::Answered, "other", &[]);
    bench.pass(2);
    assert!(bench.silent_for().is_some());
}

#[test]
fn what_goes_out_is_no_sign_of_life() {
    let mut bench = broker(Pings::Answered);
    for _ in 0..30 {
        bench.call("com.example.publish").unwrap();
        bench.sent();
        bench.pass(2);
    }
    assert_eq!(bench.silent_for(), Some(60));
}

#[test]
fn while_something_comes_in_nothing_is_asked() {
    let mut bench = broker(Pings::Answered);
    for _ in 0..100 {
        bench.pass(10);
        bench.frame("[36,7,8,{}]");
        bench.pass(9);
        bench.sign(LifeSign::Heard);
        assert_eq!(bench.engine.poll_ping(), None);
    }
    assert_eq!(bench.silent_for(), None);
}

#[test]
fn the_way_there_and_back_is_measured_by_the_ping_under_way() {
    let mut bench = broker(Pings::Answered);
    bench.pass(20);
    assert_eq!(bench.engine.round_trip_time(), None);
    bench.pass(1);
    bench.sign(LifeSign::Pong(9));
    assert_eq!(bench.engine.round_trip_time(), None, "a pong of no ping");
    bench.sign(LifeSign::Pong(1));
    let first = bench.engine.round_trip_time().unwrap();
    assert_eq!(first.last(), Duration::from_secs(1));
    bench.pass(20);
    assert_eq!(bench.engine.poll_ping(), Some(2));
    bench.sign(LifeSign::Pong(2));
    let second = bench.engine.round_trip_time().unwrap();
    assert_eq!(second.last(), Duration::ZERO);
    assert_eq!(second.smoothed(), Duration::from_millis(875));
    assert_eq!(bench.silent_for(), None);
}

#[test]
fn the_way_is_measured_also_when_it_takes_longer_than_an_interval() {
    let mut bench = broker(Pings::Answered);
    bench.pass(50);
    bench.sign(LifeSign::Pong(1));
    let measured = |bench: &Bench| bench.engine.round_trip_time().map(|time| time.last());
    assert_eq!(measured(&bench), Some(Duration::from_secs(30)));

    // One that was left out for a later one is not waited for.
    let mut bench = broker(Pings::Answered);
    bench.pass(50);
    bench.sign(LifeSign::Pong(2));
    assert_eq!(measured(&bench), None);
    bench.pass(20);
    bench.sign(LifeSign::Pong(3));
    assert_eq!(measured(&bench), Some(Duration::ZERO));
}

#[test]
fn risky_pings_are_for_known_routers_and_others_are_asked_by_a_request() {
    let known = &mut watched(Pings::Risky, "spell-router/0.1.0", &[RoleName::Broker]);
    known.pass(20);
    assert_eq!(known.engine.poll_ping(), Some(1));
    assert!(known.sent().is_empty());

    for (pings, roles, asked) in [
        (Pings::Risky, vec![RoleName::Broker], UNSUBSCRIBE),
        (Pings::None, vec![RoleName::Broker], UNSUBSCRIBE),
        (Pings::None, vec![RoleName::Dealer], UNREGISTER),
    ] {
        let mut bench = watched(pings, "Crossbar.io 26", &roles);
        bench.pass(60);
        assert_eq!(bench.engine.poll_ping(), None);
        assert_eq!(bench.silent_for(), Some(60));
        // What was not sent yet is not sent any more.
        assert!(bench.sent().is_empty());

        let mut bench = watched(pings, "Crossbar.io 26", &roles);
        bench.pass(40);
        assert_eq!(bench.sent(), [with_id(asked, 1)], "asked once");
    }
}

#[test]
fn how_the_router_is_asked_can_be_chosen() {
    let with = |probe, pings| {
        let config = PeerConfig {
            probe,
            ..PeerConfig::default()
        };
        let mut bench = configured(config, pings, "other", &[RoleName::Broker]);
        bench.pass(20);
        (bench.engine.poll_ping().is_some(), bench.sent().len())
    };
    assert_eq!(with(Probe::Ping, Pings::Risky), (true, 0));
    assert_eq!(with(Probe::Ping, Pings::None), (false, 1));
    assert_eq!(with(Probe::RoundTrip, Pings::Answered), (false, 1));
    assert_eq!(with(Probe::RoundTrip, Pings::Needless), (false, 1));
}

#[test]
fn who_cannot_or_need_not_be_asked_may_be_silent_for_ever() {
    let off = PeerConfig {
        keep_alive: None,
        ..PeerConfig::default()
    };
    let benches = [
        broker(Pings::Needless),
        watched(Pings::None, "neither broker nor dealer", &[]),
        configured(off, Pings::Answered, "other", &[RoleName::Broker]),
        Bench::joined(), // its transport tells nothing
    ];
    for bench in benches {
        assert_eq!(bench.engine.poll_timeout(), None);
    }
}

#[test]
fn the_answer_to_the_question_is_not_shown_to_roles() {
    for answer in [
        r#"[8,34,1,{},"wamp.error.no_such_subscription"]"#,
        r#"[8,34,1,{},"Not A URI"]"#,
        "[35,1]",
    ] {
        let mut bench = broker(Pings::None);
        bench.pass(20);
        bench.pass(1);
        bench.frame(answer);
        assert!(bench.engine.roles.0.observed.is_empty(), "{answer}");
        let measured = bench.engine.round_trip_time().unwrap().last();
        assert_eq!(measured, Duration::from_secs(1));
        // The same once more answers nothing that was asked.
        bench.frame(answer);
        assert_eq!(bench.engine.roles.0.observed.len(), 1, "{answer}");
    }
}

#[test]
fn other_messages_with_the_id_of_the_question_reach_the_roles() {
    let mut bench = broker(Pings::None);
    bench.pass(20);
    for frame in [
        "[68,1,6,{}]",
        "[67,1]",
        r#"[8,32,1,{},"com.example.error"]"#,
        r#"[8,66,1,{},"com.example.error"]"#,
        r#"[35,0,{"subscription":9}]"#,
        "[35,2]",
    ] {
        bench.frame(frame);
    }
    assert_eq!(bench.engine.roles.0.observed.len(), 6);
    assert_eq!(bench.engine.round_trip_time(), None);
    bench.frame("[35,1]");
    assert_eq!(bench.engine.roles.0.observed.len(), 6);
    assert!(bench.engine.round_trip_time().is_some());
}

#[test]
fn ids_have_no_gap_with_questions_between_the_requests() {
    let mut bench = broker(Pings::None);
    assert_eq!(bench.call("a"), Ok(1));
    bench.pass(20);
    assert_eq!(bench.call("b"), Ok(3));
    bench.frame(r#"[8,34,2,{},"wamp.error.no_such_subscription"]"#);
    bench.pass(20);
    assert_eq!(bench.call("c"), Ok(5));
    let asked = |id| with_id(UNSUBSCRIBE, id);
    assert_eq!(
        bench.sent(),
        [
            r#"[48,1,{},"a"]"#.to_owned(),
            asked(2),
            r#"[48,3,{},"b"]"#.to_owned(),
            asked(4),
            r#"[48,5,{},"c"]"#.to_owned(),
        ]
    );
}

#[test]
fn after_the_farewell_nothing_is_asked_and_the_end_still_comes() {
    let mut bench = broker(Pings::None);
    bench.ask(Ask::Finish);
    bench.pass(60);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.silent_for(), Some(60));
    let reason = bench.engine.close(CloseReason::Disconnected);
    assert!(matches!(reason, CloseReason::Left));
}

#[test]
fn nobody_is_asked_without_a_session() {
    let mut bench = broker(Pings::Answered);
    bench.pass(20);
    bench.engine.close(CloseReason::Disconnected);
    assert_eq!(bench.engine.poll_timeout(), None);
    assert_eq!(bench.engine.poll_ping(), None);
    bench.engine.disconnect();
    let now = bench.now;
    bench.engine.open(Json::default().into(), None, now);
    bench.engine.watch(Pings::Answered);
    assert_eq!(bench.engine.poll_timeout(), None);
}

#[test]
fn a_dead_connection_is_worth_another_attempt() {
    let reason = CloseReason::Unresponsive {
        silent_for: Duration::from_secs(60),
    };
    assert_eq!(reason.remedy(), crate::Remedy::Elsewhere);
    assert_eq!(reason.to_string(), "the router was silent for 60s");
}
