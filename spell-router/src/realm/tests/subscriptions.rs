//! What the broker tells of its subscriptions.

use spell_message::{MatchPolicy, Pattern, SubscriptionId};

use super::*;
use crate::environment::{Clock, Moment};

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
        instant: Instant::now(),
        system: std::time::SystemTime::UNIX_EPOCH,
    };
    (Box::new(move || moment), moment)
}
