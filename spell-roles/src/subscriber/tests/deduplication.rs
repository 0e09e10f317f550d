use proptest::{collection::vec, prelude::*};
use spell_message::PublicationId;

use super::*;

fn publication(id: u64) -> PublicationId {
    PublicationId::new(id).unwrap()
}

/// What waits now, the publication and the loss that each event tells.
fn publications(events: &mut Deduplicated<Subscription>) -> Vec<(u64, u64)> {
    let mut publications = Vec::new();
    while let task::Poll::Ready(Some(event)) = poll(&mut Box::pin(events.next())) {
        publications.push((event.publication().get(), event.missed()));
    }
    publications
}

#[tokio::test(start_paused = true)]
async fn an_event_that_came_by_two_subscriptions_is_given_once() {
    let (mut peer, handle) = joined();
    let filter = PublicationFilter::new(8);
    let exact = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut exact = filter.deduplicate(exact);
    let prefix = handle.subscribe("com.example.").prefix();
    let prefix = subscribed(&mut peer, prefix, 2, 6);
    let mut prefix = filter.deduplicate(prefix);
    peer.receive("[36,5,9,{}]");
    peer.receive(r#"[36,6,9,{"topic":"com.example.a"}]"#);
    peer.receive(r#"[36,6,10,{"topic":"com.example.b"}]"#);
    assert_eq!(publications(&mut prefix), [(9, 0), (10, 0)]);
    assert_eq!(publications(&mut exact), []);
    peer.receive("[36,5,11,{}]");
    assert_eq!(publications(&mut exact), [(11, 0)]);
    assert!(exact.get_ref().end().is_none());
    drop(exact.into_inner());
    assert_eq!(peer.sent(), ["[34,3,5]"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_filter_every_event_is_given() {
    let (mut peer, handle) = joined();
    let mut subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    peer.receive("[36,5,9,{},[1]]");
    peer.receive("[36,5,9,{},[2]]");
    assert_eq!(values(&mut subscription), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_loss_before_an_event_that_is_left_out_is_told_with_the_next() {
    let (mut peer, handle) = joined();
    let filter = PublicationFilter::new(8);
    let small = handle.subscribe("com.example.a").queue_count(1);
    let small = subscribed(&mut peer, small, 1, 5);
    let mut small = filter.deduplicate(small);
    for id in 1..=3 {
        peer.receive(&format!("[36,5,{id},{{}}]"));
    }
    assert_eq!(publications(&mut small), [(1, 0)]);
    peer.receive("[36,5,1,{}]");
    assert_eq!(publications(&mut small), []);
    peer.receive("[36,5,4,{}]");
    assert_eq!(publications(&mut small), [(4, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_filtered_stream_ends_with_its_subscription() {
    let (mut peer, handle) = joined();
    let subscription = subscribed(&mut peer, handle.subscribe("com.example.a"), 1, 5);
    let mut events = PublicationFilter::new(8).deduplicate(subscription);
    peer.receive("[36,5,9,{}]");
    peer.receive("[36,5,9,{}]");
    peer.end();
    assert_eq!(publications(&mut events), [(9, 0)]);
    let next = poll(&mut Box::pin(events.next()));
    assert!(matches!(next, task::Poll::Ready(None)));
}

#[test]
fn clones_are_one_filter() {
    let filter = PublicationFilter::new(1);
    let clone = filter.clone();
    assert!(clone.admits(publication(1)));
    assert!(!filter.admits(publication(1)));
    assert!(filter.admits(publication(2)));
    assert!(!clone.admits(publication(2)));
    let none = PublicationFilter::new(0);
    assert!(none.admits(publication(1)) && none.admits(publication(1)));
}

proptest! {
    #[test]
    fn a_publication_passes_unless_it_is_among_the_last_that_passed(
        count in 0_usize..6,
        ids in vec(1_u64..12, 0..200),
    ) {
        let filter = PublicationFilter::new(count);
        let mut passed = Vec::new();
        for id in ids {
            let window = &passed[passed.len().saturating_sub(count)..];
            let is_new = !window.contains(&id);
            prop_assert_eq!(filter.admits(publication(id)), is_new);
            if is_new {
                passed.push(id);
            }
            let remembered = filter.remembered();
            prop_assert!(remembered <= count);
        }
    }
}
