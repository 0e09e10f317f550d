//! The connection dies while something waits for an answer, or runs.

use std::future::pending;

use spell::{
    CallError, Client, CloseReason, JoinError, PeerState,
    message::reason,
    peer::Delivery,
    prelude::*,
    roles::{LeaveError, RegistrationEnd, SubscriptionEnd},
};
use spell_tests::{
    faults::{Cut, Direction, Fault},
    runs::{count, named},
};
use tokio::sync::mpsc;

use crate::place::{Place, soon};

/// What can wait for an answer.
#[derive(Clone, Copy, Debug)]
enum Request {
    Publish,
    Subscribe,
    Unsubscribe,
    Register,
    Unregister,
    Call,
    ProgressiveCall,
}

/// What became of a request that failed: why, and whether it was sent.
type Failed = (Option<CloseReason>, Option<Delivery>);

macro_rules! failed {
    ($result:expr, $Error:ident) => {
        match $result {
            Ok(_) => Ok(()),
            Err(error) => {
                let delivery = error.delivery();
                match error {
                    spell::roles::$Error::Closed { reason, .. } => Err((Some(reason), delivery)),
                    other => panic!("{other:?}"),
                }
            }
        }
    };
}

impl Request {
    const ALL: [Self; 7] = [
        Self::Publish,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Register,
        Self::Unregister,
        Self::Call,
        Self::ProgressiveCall,
    ];

    /// Whether it has what it asks for once the session is over.
    fn is_over_with_the_session(self) -> bool {
        matches!(self, Self::Unsubscribe | Self::Unregister)
    }

    /// Does what must be done before, and gives the request.
    async fn prepare(self, client: &Client) -> impl Future<Output = Result<(), Failed>> + use<> {
        let client = client.clone();
        let topic = "com.example.topic";
        let subscription = match self {
            Self::Unsubscribe => Some(client.subscribe(topic).await.unwrap()),
            _ => None,
        };
        let registration = match self {
            Self::Unregister => Some(client.register("com.example.mine").await.unwrap()),
            _ => None,
        };
        async move {
            match self {
                Self::Publish => failed!(client.publish(topic).acknowledge().await, PublishError),
                Self::Subscribe => failed!(client.subscribe(topic).await, SubscribeError),
                Self::Unsubscribe => {
                    failed!(subscription.unwrap().unsubscribe().await, UnsubscribeError)
                }
                Self::Register => failed!(client.register("com.example.mine").await, RegisterError),
                Self::Unregister => {
                    failed!(registration.unwrap().unregister().await, UnregisterError)
                }
                Self::Call => failed!(client.call("com.example.count").await, CallError),
                Self::ProgressiveCall => {
                    let call = client.call("com.example.count").arg(3).receive_progress();
                    let mut results = match call.await {
                        Ok(results) => results,
                        Err(error) => return failed!(Err::<(), _>(error), CallError),
                    };
                    let mut last = None;
                    while let Some(result) = results.next().await {
                        assert!(last.is_none(), "something came after {last:?}");
                        if result.as_ref().is_ok_and(spell::CallResult::is_progress) {
                            continue;
                        }
                        last = Some(result);
                    }
                    failed!(last.expect("no last result"), CallError)
                }
            }
        }
    }
}

/// Whether a connection that was cut ends a session so.
fn is_loss(reason: &CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::Disconnected | CloseReason::Transport(_)
    )
}

/// A callee for the calls: it gives three parts of a result and then the result.
async fn counting(place: &Place) -> Client {
    let callee = place.bystander().await;
    let count = async |progress: spell::Progress| {
        for part in 0..3 {
            if let Some(result) = progress.result() {
                result.arg(part).await?;
            }
        }
        Ok("done")
    };
    let registration = callee.register("com.example.count").handler(count);
    registration.await.unwrap().detach();
    callee
}

/// Cuts the connection in the request or in the answer to it, `within` bytes after its beginning.
async fn dies_in(place: &Place, request: Request, direction: Direction, within: u64, how: Cut) {
    place.proxy.clear();
    let client = place.client().connect().await.unwrap();
    let asking = request.prepare(&client).await;
    place.proxy.set(direction, Fault::CutAfter(within, how));
    let asked = soon("the request", asking).await;
    if request.is_over_with_the_session() {
        assert_eq!(
            asked.err().map(|(_, delivery)| delivery),
            None,
            "{request:?}"
        );
    } else {
        let Err((reason, delivery)) = asked else {
            panic!("{request:?} was answered over a dead connection")
        };
        assert!(is_loss(&reason.unwrap()));
        // With no byte to go through, the end may be noticed first.
        if within > 0 {
            assert_eq!(delivery, Some(Delivery::OutcomeUnknown), "{request:?}");
        }
    }
    let reason = soon("the end of the client", client.closed()).await;
    assert!(is_loss(&reason), "{reason:?}");
    // What is asked for after that was not sent.
    let late = soon("a late call", client.call("com.example.count").send()).await;
    assert_eq!(late.unwrap_err().delivery(), Some(Delivery::NotSent));
}

async fn requests_end(scheme: &str) {
    let place = Place::new(scheme, 0).await;
    let _callee = counting(&place).await;
    let before = place.belongings();
    for request in Request::ALL {
        // How long the request and its answer are.
        place.proxy.clear();
        let healthy = place.client().connect().await.unwrap();
        let asking = request.prepare(&healthy).await;
        let passed = |direction| place.proxy.passed(direction);
        let sizes = [Direction::ToRouter, Direction::ToClient].map(passed);
        asking.await.unwrap();
        let asked = passed(Direction::ToRouter) - sizes[0];
        let answered = passed(Direction::ToClient) - sizes[1];
        healthy.leave().await.unwrap();
        drop(healthy);

        for seed in 0..count(20, 500) {
            let mut chance = fastrand::Rng::with_seed(seed);
            let (direction, size) = if chance.bool() {
                (Direction::ToRouter, asked)
            } else {
                (Direction::ToClient, answered)
            };
            let how = if chance.bool() {
                Cut::Reset
            } else {
                Cut::Finish
            };
            let within = chance.u64(0..size);
            named(seed, dies_in(&place, request, direction, within, how)).await;
        }
        place.settles(1, before).await;
        assert_eq!(place.proxy.open(), 0);
    }
}

#[tokio::test]
async fn every_pending_request_ends_when_a_websocket_dies_at_any_byte() {
    requests_end("ws").await;
}

#[tokio::test]
async fn every_pending_request_ends_when_a_rawsocket_dies_at_any_byte() {
    requests_end("rs").await;
}

#[tokio::test]
async fn every_pending_request_ends_when_a_secure_websocket_dies_at_any_byte() {
    requests_end("wss").await;
}

#[tokio::test]
async fn every_pending_request_ends_when_a_secure_rawsocket_dies_at_any_byte() {
    requests_end("rss").await;
}

#[tokio::test]
async fn an_idle_session_ends_when_the_connection_dies() {
    for scheme in ["ws", "rs"] {
        let place = Place::new(scheme, 0).await;
        let before = place.belongings();
        for run in 0..count(20, 500) {
            let client = place.client().connect().await.unwrap();
            let mut events = client.subscribe("com.example.topic").await.unwrap();
            let mut invocations = client.register("com.example.mine").await.unwrap();
            let state = client.state();
            let how = [Cut::Reset, Cut::Finish][usize::from(run % 2 == 0)];
            place.proxy.cut(how);
            soon("the end of the client", client.closed()).await;
            assert!(matches!(&*state.borrow(), PeerState::Closed(_)));
            assert!(soon("the end of the events", events.next()).await.is_none());
            assert!(matches!(events.end(), Some(SubscriptionEnd::Closed(_))));
            assert!(soon("no invocation", invocations.next()).await.is_none());
            assert!(matches!(
                invocations.end(),
                Some(RegistrationEnd::Closed(_))
            ));
            let published = client.publish("com.example.topic").acknowledge().await;
            assert_eq!(published.unwrap_err().delivery(), Some(Delivery::NotSent));
        }
        place.settles(0, before).await;
    }
}

#[tokio::test]
async fn a_running_invocation_ends_on_both_sides_when_the_callee_dies() {
    /// Tells when the future that owns it is gone.
    struct Guard(mpsc::UnboundedSender<&'static str>);
    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }

    for scheme in ["ws", "rs"] {
        let place = Place::new(scheme, 0).await;
        let caller = place.bystander().await;
        let before = place.belongings();
        for run in 0..count(20, 500) {
            let client = place.client().connect().await.unwrap();
            let (told, mut hear) = mpsc::unbounded_channel();
            let handler = move |(): ()| {
                let guard = Guard(told.clone());
                async move {
                    let _ = guard.0.send("started");
                    pending::<()>().await;
                    Ok(())
                }
            };
            let registration = client.register("com.example.mine").handler(handler);
            let registration = registration.await.unwrap();
            let call = caller.call("com.example.mine").start().await.unwrap();
            assert_eq!(hear.recv().await, Some("started"));
            let how = [Cut::Reset, Cut::Finish][usize::from(run % 2 == 0)];
            place.proxy.cut(how);
            match soon("the call", call).await {
                Err(CallError::Refused(error)) => {
                    assert_eq!(error.uri().as_str(), reason::CANCELED, "{error:?}");
                }
                other => panic!("{other:?}"),
            }
            soon("the end of the registration", registration.ended()).await;
            assert_eq!(soon("the handler", hear.recv()).await, Some("dropped"));
        }
        place.settles(1, before).await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_for_the_caller() {
    for scheme in ["ws", "rs"] {
        an_answer_breaks_off(scheme).await;
    }
}

async fn an_answer_breaks_off(scheme: &str) {
    let place = Place::new(scheme, 0).await;
    let caller = place.bystander().await;
    let before = place.belongings();
    for seed in 0..count(20, 500) {
        place.proxy.clear();
        let client = place.client().connect().await.unwrap();
        let mut invocations = client.register("com.example.mine").await.unwrap();
        let call = caller.call("com.example.mine").start().await.unwrap();
        let invocation = invocations.next().await.unwrap();
        let within = fastrand::Rng::with_seed(seed).u64(1..100);
        let fault = Fault::CutAfter(within, Cut::Reset);
        place.proxy.set(Direction::ToRouter, fault);
        // It was handed to the transport, which is all that its callee is told.
        let _ = invocation.respond().arg("x".repeat(100)).await;
        let called = soon("the call", call).await;
        assert!(matches!(called, Err(CallError::Refused(_))), "{called:?}");
        soon("the end of the client", client.closed()).await;
    }
    place.settles(1, before).await;
}

#[tokio::test]
async fn leaving_ends_when_the_connection_dies_in_a_goodbye() {
    for scheme in ["ws", "rs"] {
        leaving_ends(scheme).await;
    }
}

async fn leaving_ends(scheme: &str) {
    let place = Place::new(scheme, 0).await;
    let before = place.belongings();
    for seed in 0..count(20, 500) {
        place.proxy.clear();
        let client = place.client().connect().await.unwrap();
        let mut chance = fastrand::Rng::with_seed(seed);
        let direction = if chance.bool() {
            Direction::ToRouter
        } else {
            Direction::ToClient
        };
        let how = if chance.bool() {
            Cut::Reset
        } else {
            Cut::Finish
        };
        // A frame with GOODBYE has no fewer bytes.
        let within = chance.u64(1..20);
        place.proxy.set(direction, Fault::CutAfter(within, how));
        let left = soon("leaving", client.leave().send()).await;
        assert!(matches!(left, Err(LeaveError::Interrupted)), "{left:?}");
        let reason = soon("the end of the client", client.closed()).await;
        // It is what the peer wished, so no policy is asked.
        assert!(matches!(reason, CloseReason::Left), "{reason:?}");
    }
    place.settles(0, before).await;
}

#[tokio::test]
async fn a_join_that_is_given_up_leaves_nothing() {
    for scheme in ["ws", "rs"] {
        a_join_is_given_up(scheme).await;
    }
}

async fn a_join_is_given_up(scheme: &str) {
    let place = Place::new(scheme, 0).await;
    let before = place.belongings();
    for direction in [Direction::ToRouter, Direction::ToClient] {
        place.proxy.clear();
        place.proxy.set(direction, Fault::Swallow);
        for _ in 0..count(20, 500) {
            let limit = std::time::Duration::from_millis(5);
            let joined = place.client().join_timeout(limit).connect().await;
            assert!(matches!(joined, Err(JoinError::Timeout(_))), "{joined:?}");
        }
        place.proxy.cut(Cut::Reset);
    }
    place.settles(0, before).await;
}
