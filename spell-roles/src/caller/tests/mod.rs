//! What the caller does, seen from its user and from the wire.

mod calling;
mod canceling;
mod order;
mod progressive_arguments;
mod progressive_results;
mod sessions;
mod timeout;

use std::{future::IntoFuture, time::Duration};

use spell_message::{Feature, options::CancelMode};
use spell_peer::{CloseReason, Delivery, Role};

use super::*;
use crate::{
    CallError, Overflow,
    harness::{Harness, pending, poll, ready},
};

const NOTHING: [&str; 0] = [];
const CANCELING: &[Feature] = &[Feature::CallCanceling];
const PROGRESS: &[Feature] = &[
    Feature::CallCanceling,
    Feature::ProgressiveCallInvocations,
    Feature::ProgressiveCallResults,
];
const KILL_NO_WAIT: &str = r#"[49,1,{"mode":"killnowait"}]"#;

fn joined(features: &[Feature]) -> Harness<Caller> {
    Harness::joined(Caller::new(), features)
}

/// The ids of the calls among what was sent.
fn ids(sent: &[String]) -> Vec<u64> {
    let calls = sent.iter().filter(|frame| frame.starts_with("[48,"));
    calls
        .map(|call| call.split(',').nth(1).unwrap().parse().unwrap())
        .collect()
}

/// Let the role handle what a future of its handle asks for, and give what the future gives then.
#[track_caller]
fn give<T: Role, F: Future>(peer: &mut Harness<T>, future: F) -> F::Output {
    let mut future = Box::pin(future);
    pending(&mut future);
    peer.handle_commands();
    ready(&mut future)
}

/// Call `com.example.p` for progressive results, as request 1.
fn receiving(
    set: impl FnOnce(ProgressiveCall<'_>) -> ProgressiveCall<'_>,
) -> (Harness<Caller>, CallResults) {
    let mut peer = joined(PROGRESS);
    let handle = peer.handle.clone();
    let call = set(handle.call("com.example.p").receive_progress());
    let results = give(&mut peer, call.send()).unwrap();
    assert_eq!(
        peer.sent(),
        [r#"[48,1,{"receive_progress":true},"com.example.p"]"#]
    );
    (peer, results)
}

/// The number in the next result.
#[track_caller]
fn number(results: &mut CallResults) -> u8 {
    next(results).unwrap().value().unwrap()
}

#[track_caller]
fn next(results: &mut CallResults) -> Result<CallResult, CallError> {
    ready(&mut Box::pin(results.next())).expect("a result")
}

#[track_caller]
fn waits(results: &mut CallResults) {
    pending(&mut Box::pin(results.next()));
}

#[track_caller]
fn ended(results: &mut CallResults) {
    for _ in 0..2 {
        assert!(ready(&mut Box::pin(results.next())).is_none());
    }
}
