//! What the broker tells of its subscriptions.

use spell_message::{MatchPolicy, Pattern, SubscriptionId};

use super::*;
use crate::{
    changes::ChangeKind::{self, Added, Created, Deleted, Removed},
    environment::{Clock, Moment},
};

/// What happened to subscriptions since the last time.
fn changes(realm: &mut Realm) -> Vec<(ChangeKind, u64, u64)> {
    let changes = realm.state.broker.subscriptions.changes.drain();
    changes
        .map(|change| (change.kind, change.session.get(), change.id.get()))
        .collect()
}

fn watched() -> Realm {
    let mut realm = Realm::new();
    realm.state.broker.subscriptions.changes.want(true);
    realm
}

#[test]
fn the_first_subscriber_creates_a_subscription_and_the_last_one_deletes_it() {
    let mut realm = watched();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    assert_eq!(changes(&mut realm), [(Created, BOB, 1), (Added, BOB, 1)]);
    realm.send(CAROL, r#"[32,1,{},"com.t"]"#);
    assert_eq!(changes(&mut realm), [(Added, CAROL, 1)]);
    realm.send(BOB, "[34,2,1]");
    assert_eq!(changes(&mut realm), [(Removed, BOB, 1)]);
    realm.leave(CAROL);
    assert_eq!(
        changes(&mut realm),
        [(Removed, CAROL, 1), (Deleted, CAROL, 1)]
    );
}

#[test]
fn what_changes_nothing_is_no_change() {
    let mut realm = watched();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    changes(&mut realm);
    realm.send(BOB, r#"[32,2,{},"com.t"]"#);
    realm.send(CAROL, "[34,1,1]");
    realm.leave(CAROL);
    assert_eq!(changes(&mut realm), []);
}

#[test]
fn changes_that_nobody_wants_are_not_kept() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    realm.state.broker.subscriptions.changes.want(true);
    assert_eq!(changes(&mut realm), []);
}

#[test]
fn subscriptions_are_found_by_pattern_by_policy_and_by_topic() {
    let mut realm = Realm::new();
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    realm.send(BOB, r#"[32,2,{"match":"prefix"},"com"]"#);
    realm.send(BOB, r#"[32,3,{},"com.other"]"#);
    realm.send(CAROL, r#"[32,1,{"match":"prefix"},"com"]"#);
    let subscriptions = &realm.state.broker.subscriptions;
    let id = |id| SubscriptionId::new(id).unwrap();
    let prefix = Pattern::prefix("com").unwrap();
    assert_eq!(subscriptions.lookup(&prefix), Some(id(2)));
    assert_eq!(subscriptions.lookup(&Pattern::exact("com").unwrap()), None);
    assert_eq!(subscriptions.of_policy(MatchPolicy::Exact), [id(1), id(3)]);
    assert_eq!(subscriptions.of_policy(MatchPolicy::Prefix), [id(2)]);
    assert_eq!(subscriptions.of_policy(MatchPolicy::Wildcard), []);
    let mut matching: Vec<_> = subscriptions.matching("com.t").map(|(id, _)| id).collect();
    matching.sort_unstable();
    assert_eq!(matching, [id(1), id(2)]);
    let subscription = subscriptions.get(id(2)).unwrap();
    assert_eq!(subscription.pattern, prefix);
    let subscribers: Vec<_> = subscription.subscribers.iter().map(|id| id.get()).collect();
    assert_eq!(subscribers, [BOB, CAROL]);
}

#[test]
fn a_subscription_is_as_old_as_its_first_subscriber() {
    let mut realm = Realm::new();
    let (clock, first) = stopped_clock();
    realm.state.environment.clock = clock;
    realm.send(BOB, r#"[32,1,{},"com.t"]"#);
    realm.state.environment.clock = Environment::real().clock;
    realm.send(CAROL, r#"[32,1,{},"com.t"]"#);
    let id = SubscriptionId::new(1).unwrap();
    let subscription = realm.state.broker.subscriptions.get(id).unwrap();
    assert_eq!(subscription.created, first);
}

fn stopped_clock() -> (Clock, Moment) {
    let moment = Moment {
        instant: std::time::Instant::now(),
        system: std::time::SystemTime::UNIX_EPOCH,
    };
    (Box::new(move || moment), moment)
}
