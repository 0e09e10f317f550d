//! Whatever is published and retained: the right event comes late, and never too many are kept.

use std::collections::BTreeSet;

use super::*;
use crate::{broker::retained::RetainedEvents, quotas::Room};

/// What was published to one topic, and whether there was room to retain it.
type Log = Vec<(usize, Published, bool)>;

/// The last event that such a session would have got: looking back, an event for all ends it.
fn last_of(log: &Log, number: u64, role: usize) -> Option<usize> {
    let mut later = BTreeSet::new();
    for (index, published, kept) in log.iter().rev() {
        let is_last_of_its_lists = later.insert(published.lists);
        if *kept && is_last_of_its_lists && published.is_for(number, role) {
            return Some(*index);
        }
        if published.lists == Lists::None {
            return None;
        }
    }
    None
}

proptest! {
    #[test]
    fn the_last_event_that_a_session_may_have_is_retained_within_bounds(
        published in proptest::collection::vec(published(), 0..60),
        patterns in proptest::collection::vec(pattern(), 1..6),
        events in prop_oneof![Just(usize::MAX), 0..12_usize],
        bytes in prop_oneof![Just(usize::MAX), 0..8_000_usize],
    ) {
        let mut retained = RetainedEvents::new(Room { events, bytes });
        let mut logs: Vec<Log> = vec![Log::new(); TOPICS.len()];
        for (index, published) in published.into_iter().enumerate() {
            let kept = retained.retain(published.kept(index, time(0)));
            let (used_events, used_bytes) = retained.usage();
            prop_assert!(used_events <= events && used_bytes <= bytes);
            prop_assert!(kept || events < usize::MAX || bytes < usize::MAX, "declined");
            logs[published.topic].push((index, published, kept));
        }
        for pattern in &patterns {
            for (number, role) in [(1, 0), (2, 1), (3, 0), (9, 1)] {
                let found = retained.last_for(pattern, session(number), &principal(role));
                let found: Vec<_> = found.into_iter().map(|event| event.publication).collect();
                let topics = TOPICS.iter().zip(&logs).filter(|(topic, _)| pattern.matches(topic));
                let mut expected: Vec<_> =
                    topics.filter_map(|(_, log)| last_of(log, number, role)).map(id).collect();
                expected.sort_unstable();
                prop_assert_eq!(found, expected, "{:?} {} {}", pattern, number, role);
            }
        }
    }

    #[test]
    fn what_is_replaced_takes_no_room(
        published in proptest::collection::vec(published(), 1..40),
    ) {
        let mut retained = RetainedEvents::new(Room { events: 1_000, bytes: 1 << 20 });
        for (index, published) in published.iter().enumerate() {
            retained.retain(published.kept(index, time(0)));
        }
        for topic in 0..TOPICS.len() {
            let last = Published { topic, publisher: 1, lists: Lists::None, size: 0 };
            retained.retain(last.kept(0, time(0)));
        }
        let last = Published { topic: 0, publisher: 1, lists: Lists::None, size: 0 };
        let size = last.kept(0, time(0)).size() - TOPICS[0].len();
        let texts: usize = TOPICS.iter().map(|topic| topic.len()).sum();
        prop_assert_eq!(retained.usage(), (TOPICS.len(), TOPICS.len() * size + texts));
    }
}

#[test]
fn one_topic_keeps_only_so_many_events_for_some() {
    let mut retained = RetainedEvents::new(Room {
        events: 1_000,
        bytes: 1 << 20,
    });
    let event = |number| Published {
        topic: 0,
        publisher: 1,
        lists: Lists::OnlySession(number),
        size: 0,
    };
    for number in 1..=64 {
        let event = event(number).kept(0, time(0));
        assert!(retained.retain(event), "{number}");
    }
    assert!(!retained.retain(event(65).kept(0, time(0))));
    assert!(retained.retain(event(64).kept(0, time(0))));
}
