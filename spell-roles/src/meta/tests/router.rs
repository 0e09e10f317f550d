use spell_message::RoleName;

use super::*;
use crate::{CallError, Caller, CallerHandle};

/// A router that answers one call after another.
pub(super) struct Router {
    pub(super) peer: Harness<Caller>,
    calls: u64,
}

impl Router {
    /// It announces all there is.
    pub(super) fn new() -> (Self, CallerHandle) {
        Self::announcing(ALL)
    }

    pub(super) fn announcing(features: &[Feature]) -> (Self, CallerHandle) {
        let peer = Harness::joined(Caller::new(), features);
        let handle = peer.handle.clone();
        (Self { peer, calls: 0 }, handle)
    }

    /// Make the call, which must be sent as `expected`, all after the options, and answer it with
    /// `result`, all after the details.
    #[track_caller]
    pub(super) fn answer<T, O>(
        &mut self,
        call: MetaCall<'_, T, O>,
        expected: &str,
        result: &str,
    ) -> Result<T, MetaError> {
        let mut call = call.into_future();
        pending(&mut call);
        self.calls += 1;
        let request = self.calls;
        assert_eq!(
            self.peer.sent(),
            [format!("[48,{request},{{}},{expected}]")]
        );
        let result = match result {
            "" => String::new(),
            result => format!(",{result}"),
        };
        self.peer.receive(&format!("[50,{request},{{}}{result}]"));
        ready(&mut call)
    }

    /// What a call needs of the router, which did not announce it: nothing must be sent.
    #[track_caller]
    pub(super) fn missing<T, O>(&mut self, call: MetaCall<'_, T, O>) -> (RoleName, Feature) {
        let mut call = call.into_future();
        pending(&mut call);
        assert_eq!(self.peer.sent(), [""; 0]);
        match ready(&mut call).err() {
            Some(MetaError::Call(CallError::Unsupported { role, feature, .. })) => {
                (role, feature.unwrap())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What is wrong with a result.
#[track_caller]
pub(super) fn wrong<T: std::fmt::Debug>(result: Result<T, MetaError>) -> String {
    let Err(MetaError::Result(error)) = result else {
        panic!("{result:?}");
    };
    error.to_string()
}
