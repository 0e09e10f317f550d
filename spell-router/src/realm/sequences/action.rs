//! What sessions do.

use proptest::prelude::*;
use spell_message::{
    Feature, MatchPolicy, RoleName,
    options::{CancelMode, InvocationPolicy},
};

/// What a session does; numbers pick among the few sessions, names and ids there are.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// With some of [`FEATURES`], and a line that always carries what it gets, or may not.
    Join {
        features: Vec<bool>,
        certain: bool,
    },
    Leave,
    /// Time passes, in milliseconds.
    Pass(u64),
    Subscribe(usize, MatchPolicy),
    Unsubscribe(u64),
    Publish(usize),
    Register {
        name: usize,
        policy: MatchPolicy,
        invoke: InvocationPolicy,
        forward_timeout: bool,
    },
    Unregister(u64),
    Call {
        name: usize,
        progress: bool,
        receive_progress: bool,
        timeout: u64,
    },
    /// Another part of the arguments of a call.
    GoOn {
        call: u64,
        progress: bool,
    },
    Cancel(u64, Option<CancelMode>),
    Yield {
        invocation: u64,
        progress: bool,
    },
    Fail(u64),
    Decline(u64),
}

pub(super) const NAMES: [&str; 4] = ["a", "a.b", "a.c", "b.b"];

pub(super) const CANCELING: usize = 0;
pub(super) const RESULTS: usize = 1;
pub(super) const PARTS: usize = 2;
pub(super) const TIMEOUT: usize = 3;
pub(super) const SENDS_PARTS: usize = 4;
pub(super) const FEATURES: [(RoleName, Feature); 5] = [
    (RoleName::Callee, Feature::CallCanceling),
    (RoleName::Callee, Feature::ProgressiveCallResults),
    (RoleName::Callee, Feature::ProgressiveCallInvocations),
    (RoleName::Callee, Feature::CallTimeout),
    (RoleName::Caller, Feature::ProgressiveCallInvocations),
];

pub(in crate::realm) fn policy() -> impl Strategy<Value = MatchPolicy> {
    prop_oneof![
        Just(MatchPolicy::Exact),
        Just(MatchPolicy::Prefix),
        Just(MatchPolicy::Wildcard),
    ]
}

pub(super) fn action() -> impl Strategy<Value = Action> {
    let invoke = prop_oneof![
        1 => Just(InvocationPolicy::Single),
        3 => Just(InvocationPolicy::RoundRobin),
        1 => Just(InvocationPolicy::Random),
        1 => Just(InvocationPolicy::First),
        1 => Just(InvocationPolicy::Last),
    ];
    let mode = prop_oneof![
        Just(CancelMode::Skip),
        Just(CancelMode::Kill),
        Just(CancelMode::KillNoWait),
    ];
    let (name, id) = (0..NAMES.len(), 1..8_u64);
    let usually = || proptest::bool::weighted(0.8);
    let features = proptest::collection::vec(usually(), FEATURES.len());
    prop_oneof![
        2 => (features, any::<bool>())
            .prop_map(|(features, certain)| Action::Join { features, certain }),
        1 => Just(Action::Leave),
        1 => (0..60_u64).prop_map(Action::Pass),
        2 => (name.clone(), policy()).prop_map(|(name, policy)| Action::Subscribe(name, policy)),
        1 => id.clone().prop_map(Action::Unsubscribe),
        2 => name.clone().prop_map(Action::Publish),
        4 => (name.clone(), policy(), invoke, any::<bool>()).prop_map(
            |(name, policy, invoke, forward_timeout)| Action::Register {
                name,
                policy,
                invoke,
                forward_timeout,
            }
        ),
        1 => id.clone().prop_map(Action::Unregister),
        6 => (name, any::<bool>(), any::<bool>(), 0..100_u64).prop_map(
            |(name, progress, receive_progress, timeout)| Action::Call {
                name,
                progress,
                receive_progress,
                timeout: timeout.saturating_sub(50),
            }
        ),
        3 => (id.clone(), usually())
            .prop_map(|(call, progress)| Action::GoOn { call, progress }),
        2 => (id.clone(), proptest::option::of(mode)).prop_map(|(id, mode)| Action::Cancel(id, mode)),
        5 => (id.clone(), any::<bool>())
            .prop_map(|(invocation, progress)| Action::Yield { invocation, progress }),
        1 => id.clone().prop_map(Action::Fail),
        3 => id.prop_map(Action::Decline),
    ]
}
