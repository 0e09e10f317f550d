//! What is told, and got, of events that were published without a session.

use super::*;
use crate::{Caller, CallerHandle, Meta};

/// Begin another session, in which the subscriptions get the ids that follow.
fn reconnect(peer: &mut Harness<Subscriber>, ids: &[u64]) -> Vec<String> {
    peer.lose();
    peer.open(None);
    let sent = peer.sent();
    for (request, id) in (1..).zip(ids) {
        peer.receive(&format!("[33,{request},{id}]"));
    }
    sent
}

/// What is told now: the value of an event, or a gap.
fn told(subscription: &mut Subscription) -> Vec<Result<u64, Gap>> {
    let mut told = Vec::new();
    let mut notices = subscription.notices();
    while let task::Poll::Ready(Some(notice)) = poll(&mut Box::pin(notices.next())) {
        told.push(match notice {
            Notice::Event(event) => Ok(event.value().unwrap()),
            Notice::Gap(gap) => Err(gap),
        });
    }
    told
}

/// The same, with no more of a gap than whether it is filled.
fn outline(subscription: &mut Subscription) -> Vec<Result<u64, bool>> {
    let told = told(subscription).into_iter();
    told.map(|told| told.map_err(|gap| gap.is_filled()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_told_in_its_place_without_an_event() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.receive(&event(5, 1));
    peer.lose();
    peer.advance(Duration::from_secs(3));
    peer.open(None);
    peer.sent();
    assert_eq!(
        outline(&mut subscription),
        [Ok(1)],
        "not before it is made again"
    );
    peer.receive("[33,1,6]");
    let [Err(gap)] = &told(&mut subscription)[..] else {
        panic!("no gap");
    };
    assert!(matches!(gap.cause(), CloseReason::Disconnected));
    assert_eq!(gap.duration(), Duration::from_secs(3));
    assert!(!gap.is_filled());
    peer.receive(&event(6, 2));
    assert_eq!(outline(&mut subscription), [Ok(2)]);
}

#[tokio::test(start_paused = true)]
async fn who_reads_events_alone_is_told_of_a_gap_with_the_next_one() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.receive(&event(5, 1));
    reconnect(&mut peer, &[6]);
    peer.receive(&event(6, 2));
    peer.receive(&event(6, 3));
    let mut gaps = Vec::new();
    while let task::Poll::Ready(Some(event)) = next(&mut subscription) {
        assert!(!event.is_backfilled());
        gaps.push((event.value::<u64>().unwrap(), event.gap().is_some()));
    }
    assert_eq!(gaps, [(1, false), (2, true), (3, false)]);
}

#[tokio::test(start_paused = true)]
async fn the_first_session_leaves_no_gap_nor_does_one_that_never_had_it() {
    let mut peer = Harness::unjoined(Subscriber::new(), ALL);
    let handle = peer.handle.clone();
    let mut first = handle.subscribe("com.example.a").into_future();
    pending(&mut first);
    peer.handle_commands();
    peer.lose();
    peer.open(None);
    peer.sent();
    peer.receive("[33,1,5]");
    let mut first = ready(&mut first).unwrap();
    assert_eq!(outline(&mut first), []);
}

#[tokio::test(start_paused = true)]
async fn sessions_in_a_row_that_brought_nothing_leave_one_gap() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.lose();
    peer.advance(Duration::from_secs(1));
    // It is not made in this one.
    peer.open(None);
    peer.advance(Duration::from_secs(1));
    peer.lose();
    peer.advance(Duration::from_secs(1));
    peer.open(None);
    peer.sent();
    peer.receive("[33,1,5]");
    peer.lose();
    peer.advance(Duration::from_secs(1));
    peer.open(None);
    peer.sent();
    peer.receive("[33,1,5]");
    let [Err(gap)] = &told(&mut subscription)[..] else {
        panic!("not one gap");
    };
    assert_eq!(gap.duration(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_gap_outlives_the_event_it_stood_before() {
    let (mut peer, handle) = joined();
    let latest = handle
        .subscribe("com.example.a")
        .overflow(Overflow::KeepLatest);
    let mut latest = subscribed(&mut peer, latest, 1, 5);
    peer.receive(&event(5, 1));
    reconnect(&mut peer, &[6]);
    peer.receive(&event(6, 2));
    peer.receive(&event(6, 3));
    assert_eq!(outline(&mut latest), [Err(false), Ok(3)]);
    assert_eq!(
        latest.missed(),
        2,
        "what was lost without a session is not counted"
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_tells_of_the_gap_before_an_event_that_it_leaves_out() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.receive(&event(5, 1));
    reconnect(&mut peer, &[6]);
    peer.receive(&event(6, 1));
    peer.receive(&event(6, 2));
    let mut events = PublicationFilter::new(9).deduplicate(subscription);
    let mut gaps = Vec::new();
    while let task::Poll::Ready(Some(event)) = poll(&mut Box::pin(events.next())) {
        gaps.push((event.value::<u64>().unwrap(), event.gap().is_some()));
    }
    assert_eq!(gaps, [(1, false), (2, true)]);
}

const WITH_HISTORY: &[Feature] = &[Feature::EventHistory];

/// A subscription that had the event 1 and then lost its session, and who asks for its history.
struct Missed {
    peer: Harness<Subscriber>,
    caller: Harness<Caller>,
    subscription: Subscription,
}

impl Missed {
    fn new(features: &[Feature]) -> Self {
        let caller = Harness::joined(Caller::new(), features);
        let mut peer = Harness::joined(Subscriber::new(), features);
        let (handle, asker): (_, CallerHandle) = (peer.handle.clone(), caller.handle.clone());
        let subscribe = handle
            .subscribe("com.example.a")
            .backfill(Meta::new(&asker));
        let mut subscription = subscribed(&mut peer, subscribe, 1, 5);
        peer.receive(&event(5, 1));
        assert_eq!(values(&mut subscription), [1]);
        Self {
            peer,
            caller,
            subscription,
        }
    }

    /// What is told now.
    fn told(&mut self) -> Vec<Result<u64, bool>> {
        outline(&mut self.subscription)
    }

    /// The router answers the call it must have got.
    #[track_caller]
    fn answer(&mut self, request: u64, asked: &str, events: &[u64]) {
        let call = self.caller.sent();
        let procedure = "wamp.subscription.get_events";
        let expected = format!(r#"[48,{request},{{}},"{procedure}",{asked}]"#);
        assert_eq!(call, [expected]);
        let event = |value| {
            let publication = value + 100;
            format!(r#"{{"publication":{publication},"args":[{value}],"details":{{}}}}"#)
        };
        let events: Vec<_> = events.iter().map(event).collect();
        let events = events.join(",");
        self.caller
            .receive(&format!("[50,{request},{{}},[{events}]]"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_before_what_is_newer_and_once() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    assert_eq!(missed.told(), []);
    missed.peer.receive(&event(6, 4));
    missed.peer.receive(&event(6, 5));
    assert_eq!(missed.told(), [], "it is behind what was missed");
    missed.answer(
        1,
        r#"[6],{"limit":256,"from_publication":101}"#,
        &[1, 2, 3, 4, 5],
    );
    let expected = [Err(true), Ok(2), Ok(3), Ok(4), Ok(5)];
    assert_eq!(missed.told(), expected);
    missed.peer.receive(&event(6, 6));
    assert_eq!(missed.told(), [Ok(6)]);
    assert!(missed.caller.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_late_though_the_history_had_it_does_not_come_twice() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    assert_eq!(missed.told(), []);
    missed.answer(1, r#"[6],{"limit":256,"from_publication":101}"#, &[1, 2, 3]);
    assert_eq!(missed.told(), [Err(true), Ok(2), Ok(3)]);
    missed.peer.receive(&event(6, 3));
    missed.peer.receive(&event(6, 4));
    assert_eq!(missed.told(), [Ok(4)]);
}

#[tokio::test(start_paused = true)]
async fn what_came_from_the_history_says_so_and_follows_the_gap() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    pending(&mut Box::pin(missed.subscription.next()));
    missed.peer.receive(&event(6, 3));
    missed.answer(1, r#"[6],{"limit":256,"from_publication":101}"#, &[1, 2]);
    let mut seen = Vec::new();
    while let task::Poll::Ready(Some(event)) = next(&mut missed.subscription) {
        assert_eq!(event.topic(), "com.example.a");
        let filled = event.gap().is_some_and(Gap::is_filled);
        seen.push((event.value::<u64>().unwrap(), event.is_backfilled(), filled));
    }
    assert_eq!(seen, [(2, true, true), (3, false, false)]);
}

#[tokio::test(start_paused = true)]
async fn much_of_a_history_is_asked_page_by_page() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    missed.peer.receive(&event(6, 999));
    assert_eq!(missed.told(), []);
    let first: Vec<u64> = (1..=256).collect();
    missed.answer(1, r#"[6],{"limit":256,"from_publication":101}"#, &first);
    let mut expected = vec![Err(true)];
    expected.extend((2..=256).map(Ok));
    assert_eq!(missed.told(), expected);
    missed.answer(
        2,
        r#"[6],{"limit":256,"after_publication":356}"#,
        &[257, 258],
    );
    assert_eq!(missed.told(), [Ok(257), Ok(258), Ok(999)]);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_does_not_reach_back_gives_what_it_has() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    missed.peer.receive(&event(6, 9));
    assert_eq!(missed.told(), []);
    missed.answer(1, r#"[6],{"limit":256,"from_publication":101}"#, &[]);
    assert_eq!(missed.told(), []);
    missed.answer(2, r#"[6],{"limit":256}"#, &[7, 8, 9]);
    assert_eq!(missed.told(), [Err(false), Ok(7), Ok(8), Ok(9)]);
}

#[tokio::test(start_paused = true)]
async fn without_an_event_to_go_on_from_the_time_of_the_subscription_is_taken() {
    let mut caller = Harness::joined(Caller::new(), WITH_HISTORY);
    let mut peer = Harness::joined(Subscriber::new(), WITH_HISTORY);
    let (handle, asker) = (peer.handle.clone(), caller.handle.clone());
    let subscribe = handle
        .subscribe("com.example.a")
        .backfill(Meta::new(&asker));
    let mut subscription = subscribed(&mut peer, subscribe, 1, 5);
    reconnect(&mut peer, &[6]);
    assert_eq!(outline(&mut subscription), []);
    let [call] = &caller.sent()[..] else {
        panic!("not one call");
    };
    assert!(call.contains(r#""from_time":"#), "{call}");
    caller.receive(r#"[50,1,{},[{"publication":102,"args":[2]}]]"#);
    assert_eq!(outline(&mut subscription), [Err(false), Ok(2)]);
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_history_there_is_a_gap() {
    // Not announced; and refused.
    let mut missed = Missed::new(&[]);
    reconnect(&mut missed.peer, &[6]);
    missed.peer.receive(&event(6, 3));
    pending(&mut Box::pin(missed.subscription.next()));
    assert!(missed.caller.sent().is_empty());
    assert_eq!(missed.told(), [Err(false), Ok(3)]);

    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    missed.peer.receive(&event(6, 3));
    assert_eq!(missed.told(), []);
    missed.caller.sent();
    missed
        .caller
        .receive(r#"[8,48,1,{},"wamp.error.not_authorized"]"#);
    assert_eq!(missed.told(), [Err(false), Ok(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_lost_while_the_history_is_asked_does_not_end_that() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    assert_eq!(missed.told(), []);
    assert_eq!(missed.caller.sent().len(), 1);
    missed.caller.lose();
    assert_eq!(missed.told(), []);
    missed.caller.open(None);
    reconnect(&mut missed.peer, &[7]);
    assert_eq!(missed.told(), []);
    missed.answer(1, r#"[7],{"limit":256,"from_publication":101}"#, &[1, 2]);
    assert_eq!(missed.told(), [Err(true), Ok(2)]);
    // The other gap, that the second loss left.
    missed.answer(2, r#"[7],{"limit":256,"from_publication":102}"#, &[2, 3]);
    assert_eq!(missed.told(), [Err(true), Ok(3)]);
}

#[tokio::test(start_paused = true)]
async fn without_a_history_what_was_retained_is_asked_and_not_given_twice() {
    let mut missed = Missed::new(&[Feature::EventRetention]);
    let retained = |value: u64| {
        let publication = value + 100;
        format!(r#"[36,6,{publication},{{"retained":true}},[{value}]]"#)
    };
    let again = [r#"[32,1,{"get_retained":true},"com.example.a"]"#];
    assert_eq!(reconnect(&mut missed.peer, &[6]), again);
    missed.peer.receive(&retained(1));
    missed.peer.receive(&event(6, 2));
    assert_eq!(next_values(&mut missed), [2]);
    assert_eq!(reconnect(&mut missed.peer, &[6]), again);
    missed.peer.receive(&retained(5));
    assert_eq!(next_values(&mut missed), [5]);
}

/// The values of the events that come now, where the history is not announced.
fn next_values(missed: &mut Missed) -> Vec<u64> {
    // The call is refused by its role.
    pending(&mut Box::pin(missed.subscription.next()));
    missed.caller.sent();
    values(&mut missed.subscription)
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_ends_while_its_history_is_asked_ends() {
    let mut missed = Missed::new(WITH_HISTORY);
    reconnect(&mut missed.peer, &[6]);
    assert_eq!(missed.told(), []);
    missed.caller.sent();
    missed.peer.receive(r#"[35,0,{"subscription":6}]"#);
    missed.caller.lose();
    assert_eq!(missed.told(), [Err(false)]);
    assert!(is_over(&mut missed.subscription));
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_be_told_of_gaps() {
    let (mut peer, handle) = joined();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let gaps = tell.clone();
    let subscribe = handle
        .subscribe("com.example.a")
        .handler(move |(value,): (u64,)| {
            tell.send(Ok(value)).unwrap();
            std::future::ready(())
        });
    let subscribe = subscribe.on_gap(move |gap| gaps.send(Err(gap.is_filled())).unwrap());
    let mut subscribe = subscribe.into_future();
    pending(&mut subscribe);
    peer.sent();
    peer.receive("[33,1,5]");
    let _subscription = ready(&mut subscribe).unwrap();
    peer.receive(&event(5, 1));
    reconnect(&mut peer, &[6]);
    assert_eq!(told.recv().await, Some(Ok(1)));
    assert_eq!(told.recv().await, Some(Err(false)));
    peer.receive(&event(6, 2));
    assert_eq!(told.recv().await, Some(Ok(2)));
}
