//! The history of a subscription: what is kept, and what a query finds.

use std::num::NonZeroUsize;

use super::*;
use crate::{
    broker::{HistoryQuery, history::History},
    quotas::Room,
};

/// Events, the milliseconds after the epoch at which each was published.
fn published_at() -> impl Strategy<Value = Vec<(Published, u64)>> {
    // A clock that is adjusted jumps, and events share a millisecond.
    proptest::collection::vec((published(), 0..6_u64), 0..30)
}

fn query() -> impl Strategy<Value = HistoryQuery> {
    let time = || proptest::option::weighted(0.3, (0..7_u64).prop_map(time));
    // Some that never were.
    let publication = || proptest::option::weighted(0.2, (0..34_usize).prop_map(id));
    let topic = (0..TOPICS.len()).prop_map(|topic| Uri::new(TOPICS[topic]).unwrap());
    let times = (time(), time(), time(), time());
    let publications = (publication(), publication(), publication(), publication());
    let limit = proptest::option::of((1..12_usize).prop_map(|it| NonZeroUsize::new(it).unwrap()));
    let topic = proptest::option::weighted(0.2, topic);
    (any::<bool>(), limit, topic, times, publications).prop_map(
        |(reverse, limit, topic, times, publications)| HistoryQuery {
            reverse,
            limit,
            topic,
            from_time: times.0,
            after_time: times.1,
            before_time: times.2,
            until_time: times.3,
            from_publication: publications.0,
            after_publication: publications.1,
            before_publication: publications.2,
            until_publication: publications.3,
        },
    )
}

/// What a query finds, by trying each event with each condition.
fn found(
    history: &[(PublicationId, Published, Timestamp)],
    query: &HistoryQuery,
    role: usize,
) -> Vec<PublicationId> {
    let place = |id| history.iter().position(|(other, ..)| *other == id);
    // A publication that is unknown is compared as what nothing compares with.
    let after = |index: usize, id: Option<PublicationId>| {
        id.is_none_or(|id| place(id).is_some_and(|place| index > place))
    };
    let before = |index: usize, id: Option<PublicationId>| {
        id.is_none_or(|id| place(id).is_some_and(|place| index < place))
    };
    let is = |this: PublicationId, id: Option<PublicationId>| id == Some(this);
    let mut found = Vec::new();
    for (index, (id, published, time)) in history.iter().enumerate() {
        let holds = [
            query.from_time.is_none_or(|from| *time >= from),
            query.after_time.is_none_or(|after| *time > after),
            query.before_time.is_none_or(|before| *time < before),
            query.until_time.is_none_or(|until| *time <= until),
            query
                .topic
                .as_ref()
                .is_none_or(|topic| *topic == *TOPICS[published.topic]),
            after(index, query.from_publication) || is(*id, query.from_publication),
            after(index, query.after_publication),
            before(index, query.before_publication),
            before(index, query.until_publication) || is(*id, query.until_publication),
            published.lists.include_role(role),
        ];
        if holds.iter().all(|holds| *holds) {
            found.push(*id);
        }
    }
    if query.reverse {
        found.reverse();
    }
    found.truncate(query.limit.map_or(usize::MAX, NonZeroUsize::get));
    found
}

proptest! {
    #[test]
    fn a_query_finds_what_trying_each_event_finds(
        events in published_at(),
        most in 0..40_usize,
        queries in proptest::collection::vec(query(), 1..10),
    ) {
        let mut history = History::new(Room { events: most, bytes: 1 << 20 });
        let mut all = Vec::new();
        for (index, (published, millis)) in events.into_iter().enumerate() {
            let kept = published.kept(index, time(millis));
            prop_assert_eq!(history.push(kept), most > 0);
            all.push((id(index), published, time(millis)));
        }
        let kept = &all[all.len().saturating_sub(most)..];
        for query in &queries {
            for role in 0..ROLES.len() {
                let events = query.select(history.events(), &principal(role));
                let events: Vec<_> = events.iter().map(|event| event.publication).collect();
                prop_assert_eq!(events, found(kept, query, role), "{:?}", query);
            }
        }
    }

    #[test]
    fn a_history_holds_the_last_events_for_which_there_is_room(
        published in proptest::collection::vec(published(), 0..60),
        events in 0..12_usize,
        bytes in 0..6_000_usize,
    ) {
        let mut history = History::new(Room { events, bytes });
        let mut last: Vec<Arc<KeptEvent>> = Vec::new();
        for (index, published) in published.iter().enumerate() {
            let event = published.kept(index, time(0));
            let size = |last: &[Arc<KeptEvent>]| last.iter().map(|it| it.size()).sum::<usize>();
            let fits = events > 0 && event.size() <= bytes;
            prop_assert_eq!(history.push(event.clone()), fits);
            if fits {
                last.push(event);
                while last.len() > events || size(&last) > bytes {
                    last.remove(0);
                }
            }
            let held = history.events().iter().map(|event| event.publication);
            prop_assert!(held.eq(last.iter().map(|event| event.publication)));
            prop_assert_eq!(history.bytes(), size(&last));
        }
    }
}

/// A history of five events of the topic `a`, published in the milliseconds 0 to 4.
fn five() -> History {
    let mut history = History::new(Room {
        events: 10,
        bytes: 1 << 20,
    });
    let published = Published {
        topic: 0,
        publisher: 1,
        lists: Lists::None,
        size: 0,
    };
    for number in 0..5 {
        history.push(published.kept(number, time(u64::try_from(number).unwrap())));
    }
    history
}

fn numbers(query: &HistoryQuery) -> Vec<u64> {
    let history = five();
    let events = query.select(history.events(), &principal(0));
    events.iter().map(|event| event.publication.get()).collect()
}

#[test]
fn without_conditions_all_events_come_the_oldest_first() {
    assert_eq!(numbers(&HistoryQuery::default()), [1, 2, 3, 4, 5]);
}

#[test]
fn pages_follow_each_other_in_either_direction() {
    let first = HistoryQuery {
        limit: NonZeroUsize::new(2),
        ..HistoryQuery::default()
    };
    assert_eq!(numbers(&first), [1, 2]);
    let second = HistoryQuery {
        after_publication: Some(id(1)),
        ..first.clone()
    };
    assert_eq!(numbers(&second), [3, 4]);
    let last = HistoryQuery {
        reverse: true,
        ..first
    };
    assert_eq!(numbers(&last), [5, 4]);
    let last_but_one = HistoryQuery {
        before_publication: Some(id(3)),
        ..last
    };
    assert_eq!(numbers(&last_but_one), [3, 2]);
}

#[test]
fn from_and_until_include_what_after_and_before_exclude() {
    let times = |from, until, after, before| HistoryQuery {
        from_time: from,
        until_time: until,
        after_time: after,
        before_time: before,
        ..HistoryQuery::default()
    };
    let (first, last) = (Some(time(1)), Some(time(3)));
    assert_eq!(numbers(&times(first, last, None, None)), [2, 3, 4]);
    assert_eq!(numbers(&times(None, None, first, last)), [3]);
    let (first, last) = (Some(id(1)), Some(id(3)));
    let including = HistoryQuery {
        from_publication: first,
        until_publication: last,
        ..HistoryQuery::default()
    };
    assert_eq!(numbers(&including), [2, 3, 4]);
    let excluding = HistoryQuery {
        after_publication: first,
        before_publication: last,
        ..HistoryQuery::default()
    };
    assert_eq!(numbers(&excluding), [3]);
}

#[test]
fn nothing_is_before_or_after_a_publication_that_is_not_there() {
    let unknown = HistoryQuery {
        after_publication: Some(id(77)),
        ..HistoryQuery::default()
    };
    assert!(numbers(&unknown).is_empty());
}
