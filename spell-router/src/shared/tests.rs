//! What happens under which lock.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::{Wake, Waker},
};

use bytes::Bytes;
use spell_serializer::{Json, Serializer};

use super::*;
use crate::{
    Router,
    outbound::QueueLimits,
    session::{Handshake, Step},
};

/// A session of a realm, without a connection.
fn join(shared: &Arc<Shared>) -> (Membership, Arc<Outbound>) {
    join_with(shared, Json::new().into())
}

fn join_with(shared: &Arc<Shared>, serializer: AnySerializer) -> (Membership, Arc<Outbound>) {
    let reserved = shared.reserve_session_id();
    let hello = message(r#"[1,"realm1",{"roles":{"caller":{}}}]"#);
    let mut handshake = Handshake::new(reserved.id());
    let Step::Admit(admission) = handshake.handle(hello, |realm| shared.access(realm)) else {
        panic!("not admitted");
    };
    let queue = Arc::new(Outbound::new(QueueLimits {
        messages: 100,
        bytes: 10_000,
    }));
    let line = Line::new(serializer, None);
    let membership = shared.join(reserved, admission, &queue, line);
    while queue.pop().is_some() {}
    (membership, queue)
}

fn message(text: &str) -> Message {
    let frame = Bytes::copy_from_slice(text.as_bytes());
    Json::new().decode(&frame).unwrap()
}

/// Woken while a session leaves, it looks whether the realms of the router are locked.
struct Probe {
    shared: Arc<Shared>,
    woken: AtomicBool,
}

impl Wake for Probe {
    fn wake(self: Arc<Self>) {
        assert!(self.shared.realms.try_lock().is_ok(), "all realms wait");
        self.woken.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_session_that_leaves_holds_up_no_other_realm() {
    let router = Router::local();
    let shared = router.shared();
    let (caller, queue) = join(shared);
    let (callee, _) = join(shared);
    assert_eq!(callee.handle(message(r#"[64,1,{},"com.p"]"#)), Flow::Open);
    assert_eq!(caller.handle(message(r#"[48,1,{},"com.p"]"#)), Flow::Open);
    let probe = Arc::new(Probe {
        shared: Arc::clone(shared),
        woken: AtomicBool::new(false),
    });
    assert!(queue.rest(&Waker::from(Arc::clone(&probe)), false));
    drop(callee); // which fails the call
    assert!(probe.woken.load(Ordering::Relaxed));
}

mod transcoding {
    //! A format of its own sees when and where it is written.

    use std::{
        error::Error,
        sync::{Mutex, MutexGuard},
    };

    use bytes::BytesMut;
    use spell_message::{CustomFormat, Format, Value};
    use spell_serializer::{DecodeError, EncodeError};

    use super::*;

    /// Whether the lock of the realm was free, each time that something was encoded.
    static FREE: Mutex<Vec<bool>> = Mutex::new(Vec::new());
    static REALM: Mutex<Option<Arc<LiveRealm>>> = Mutex::new(None);
    /// Only one test at a time.
    static TURN: Mutex<()> = Mutex::new(());

    #[derive(Debug)]
    struct Watched;

    impl CustomFormat for Watched {
        fn name(&self) -> &'static str {
            "watched"
        }

        fn decode(&self, _bytes: &[u8]) -> Result<Value, Box<dyn Error + Send + Sync>> {
            Ok(Value::Null)
        }

        fn encode(&self, _value: &Value) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
            let realm = lock(&REALM);
            let realm = realm.as_ref().expect("a realm");
            lock(&FREE).push(realm.routing.try_lock().is_ok());
            Ok(Bytes::from_static(b"value"))
        }
    }

    impl Serializer for Watched {
        fn serialization(&self) -> Serialization {
            Serialization::text("wamp.2.watched", 0)
        }

        fn format(&self) -> Format {
            Format::Custom(&Self)
        }

        fn encode(&self, _message: &Message, _out: &mut BytesMut) -> Result<(), EncodeError> {
            Ok(())
        }

        fn decode(&self, frame: &Bytes) -> Result<Message, DecodeError> {
            Json::new().decode(frame)
        }
    }

    /// Alice writes JSON, Bob the format that is watched.
    fn begin() -> (MutexGuard<'static, ()>, Membership, Membership) {
        let turn = lock(&TURN);
        let router = Router::local();
        let (alice, _) = join(router.shared());
        let (bob, _) = join_with(router.shared(), Watched.into());
        *lock(&REALM) = Some(Arc::clone(&alice.realm));
        lock(&FREE).clear();
        (turn, alice, bob)
    }

    #[test]
    fn the_arguments_of_a_call_are_transcoded_without_the_lock() {
        let (_turn, alice, bob) = begin();
        assert_eq!(bob.handle(message(r#"[64,1,{},"com.p"]"#)), Flow::Open);
        let call = message(r#"[48,1,{},"com.p",[1]]"#);
        assert_eq!(alice.handle(call), Flow::Open);
        let free = lock(&FREE);
        assert!(
            !free.is_empty() && free.iter().all(|free| *free),
            "{free:?}"
        );
    }

    #[test]
    fn what_the_router_says_itself_is_not_written_in_a_format_of_the_user_under_the_lock() {
        let (_turn, alice, bob) = begin();
        let subscribe = message(r#"[32,1,{},"wamp.session.on_leave"]"#);
        assert_eq!(bob.handle(subscribe), Flow::Open);
        let call = message(r#"[48,2,{},"wamp.session.list"]"#);
        assert_eq!(bob.handle(call), Flow::Open);
        drop(alice);
        assert!(lock(&FREE).iter().all(|free| *free));
    }

    #[test]
    fn large_arguments_of_an_event_are_transcoded_by_the_publisher_without_the_lock() {
        let (_turn, alice, bob) = begin();
        assert_eq!(bob.handle(message(r#"[32,1,{},"com.t"]"#)), Flow::Open);
        let text = "x".repeat(20_000);
        let publish = message(&format!(r#"[16,1,{{}},"com.t",["{text}"]]"#));
        assert_eq!(alice.handle(publish), Flow::Open);
        let free = lock(&FREE);
        assert!(
            !free.is_empty() && free.iter().all(|free| *free),
            "{free:?}"
        );
    }
}

mod retention {
    //! What a realm retains while nobody is in it.

    use super::*;

    /// What a session gets that subscribes after the publisher left.
    fn late(router: &Router) -> usize {
        let (publisher, _) = join(router.shared());
        let publish = r#"[16,1,{"retain":true},"com.t",[1]]"#;
        assert_eq!(publisher.handle(message(publish)), Flow::Open);
        drop(publisher);
        let (subscriber, queue) = join(router.shared());
        let subscribe = r#"[32,1,{"get_retained":true},"com.t"]"#;
        assert_eq!(subscriber.handle(message(subscribe)), Flow::Open);
        std::iter::from_fn(|| queue.pop()).count()
    }

    #[test]
    fn a_listed_realm_retains_events_while_nobody_is_in_it() {
        let router = Router::builder().realm("realm1").build().unwrap();
        assert_eq!(late(&router), 2);
    }

    #[test]
    fn of_a_realm_that_is_not_listed_nothing_stays() {
        assert_eq!(late(&Router::local()), 1);
    }

    #[test]
    fn events_that_are_not_kept_are_counted() {
        let router = Router::builder()
            .realm("realm1")
            .retention_limits(0, 0)
            .build()
            .unwrap();
        assert_eq!(late(&router), 1);
        assert_eq!(router.statistics().events_not_kept, 1);
    }
}
