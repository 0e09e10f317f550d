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
    let line = Box::new(crate::carrier::Line::new(
        AnySerializer::from(Json::new()),
        None,
    ));
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
    assert!(queue.is_empty(&Waker::from(Arc::clone(&probe))));
    drop(callee); // which fails the call
    assert!(probe.woken.load(Ordering::Relaxed));
}
