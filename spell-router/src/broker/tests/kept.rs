//! The memory that a kept event takes.

use super::*;

fn kept(payload: &Payload) -> KeptEvent {
    let topic = Uri::new("com.t").unwrap();
    let options = PublishOptions::new();
    let publication = Publication {
        publisher: None,
        topic: &topic,
        options: &options,
        payload,
    };
    let details = EventDetails::new();
    KeptEvent::new(publication, id(0), details, time(0)).unwrap()
}

#[test]
fn a_kept_event_does_not_keep_the_frame_it_came_in() {
    let frame = Bytes::from(vec![b'x'; 1_000]);
    let tail = frame.slice(900..950);
    let payload = Payload::encoded(Format::Json, tail, 20, 30);
    let kept = kept(&payload);
    assert_eq!(kept.payload.args(), payload.args());
    assert_eq!(kept.payload.kwargs(), payload.kwargs());
    assert_eq!(kept.payload.tail(), payload.tail());
    drop(payload);
    assert!(frame.is_unique(), "the frame is shared");
}

#[test]
fn large_arguments_are_not_copied() {
    let payload = payload(&"x".repeat(100_000));
    let kept = kept(&payload);
    assert_eq!(kept.payload.tail().as_ptr(), payload.tail().as_ptr());
}

#[test]
fn absent_arguments_stay_absent() {
    assert!(kept(&Payload::default()).payload.is_absent());
    let only_args = payload("[1]");
    assert_eq!(kept(&only_args).payload.kwargs(), b"");
}

#[test]
fn all_that_the_publisher_chose_counts() {
    let small = kept(&Payload::default()).size();
    assert_eq!(kept(&payload("[1]")).size(), small + 3);
    let topic = Uri::new("com.longer").unwrap();
    let mut options = PublishOptions::new();
    options.set_exclude_authid(["a long name".repeat(10)]);
    let mut details = EventDetails::new();
    details.set_publisher_authid("another long name".repeat(10));
    let publication = Publication {
        publisher: None,
        topic: &topic,
        options: &options,
        payload: &Payload::default(),
    };
    let event = KeptEvent::new(publication, id(0), details, time(0)).unwrap();
    assert!(event.size() > small + 110 + 170 + 5);
}
