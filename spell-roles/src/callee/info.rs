use std::time::Duration;

use serde::Deserialize;
use spell_message::{
    Pattern, Payload, RegistrationId, RequestId, SessionId, message, options::InvocationDetails,
};
use spell_serializer::DecodeError;

use super::Part;
use crate::passthru::{Opened, Passthru};

/// What is called, by whom, and with which arguments.
///
/// Of a progressive invocation it is the first part that tells this, for all of them.
///
/// WAMP spec, "INVOCATION".
#[derive(Clone, Debug)]
pub struct InvocationInfo {
    request: RequestId,
    registration: RegistrationId,
    registered: Pattern,
    details: InvocationDetails,
    payload: Opened,
}

impl InvocationInfo {
    pub(super) fn new(message: message::Invocation, registered: &Pattern) -> Self {
        Self {
            request: message.request,
            registration: message.registration,
            registered: registered.clone(),
            details: message.details,
            payload: message.payload.into(),
        }
    }

    /// Open the arguments, if they are sealed.
    pub(super) fn open(&mut self, codec: &Passthru) {
        self.payload.open(self.details.as_dict(), Some(codec));
    }

    /// The arguments as the first of the parts.
    pub(super) fn first_part(&self) -> Part {
        Part::new(&self.details, self.payload.clone())
    }

    /// The procedure that was called. For a registration of a pattern the router names it;
    /// otherwise it is what was registered.
    pub fn procedure(&self) -> &str {
        let named = self.details.procedure();
        named.unwrap_or_else(|| self.registered.as_str())
    }

    /// The session of the caller, if it is disclosed.
    ///
    /// WAMP spec, "Caller Identification".
    pub fn caller(&self) -> Option<SessionId> {
        self.details.caller()
    }

    /// Who the router takes the caller for, if it is disclosed.
    pub fn caller_authid(&self) -> Option<&str> {
        self.details.caller_authid()
    }

    /// The role the router gave the caller, if it is disclosed.
    pub fn caller_authrole(&self) -> Option<&str> {
        self.details.caller_authrole()
    }

    /// How far the router trusts the call, if it says so; 0 is lowest.
    ///
    /// WAMP spec, "Call Trust Levels".
    pub fn trustlevel(&self) -> Option<u64> {
        self.details.trustlevel()
    }

    /// Whether the caller wants results as they come.
    ///
    /// WAMP spec, "Progressive Call Results".
    pub fn receive_progress(&self) -> bool {
        self.details.receive_progress() == Some(true)
    }

    /// Whether the arguments come in [`Parts`](super::Parts), of which this is the first one.
    ///
    /// WAMP spec, "Progressive Call Invocations".
    pub fn is_progressive(&self) -> bool {
        self.details.progress() == Some(true)
    }

    /// How long the caller waits for the first result, and between results. The callee keeps this
    /// time: when it is up, the invocation is [interrupted](super::Interruption::TimedOut).
    ///
    /// `None` if it takes no time-out, or if the router keeps it: see
    /// [`Register::forward_timeout`](super::Register::forward_timeout).
    ///
    /// WAMP spec, "Call Timeouts".
    pub fn timeout(&self) -> Option<Duration> {
        timeout(&self.details)
    }

    /// Where the call belongs in a distributed trace, if its caller said so and the router hands
    /// that on. See [`Call::traceparent`](crate::Call::traceparent).
    pub fn traceparent(&self) -> Option<&str> {
        self.details.traceparent()
    }

    /// What goes with [`traceparent`](Self::traceparent).
    pub fn tracestate(&self) -> Option<&str> {
        self.details.tracestate()
    }

    /// All that the router tells of the call.
    pub fn details(&self) -> &InvocationDetails {
        &self.details
    }

    /// The positional arguments, as a tuple, a list, or a struct read in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.payload.parse_args()
    }

    /// The keyword arguments, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.payload.parse_kwargs()
    }

    /// The arguments, undecoded. Sealed ones that were not opened are as they came, and
    /// [`details`](Self::details) tell how they are sealed: `ppt_scheme` and what goes with it.
    pub fn payload(&self) -> &Payload {
        self.payload.payload()
    }

    /// The id of the INVOCATION, by which the messages about it are known.
    pub fn id(&self) -> RequestId {
        self.request
    }

    /// The registration it came by.
    pub fn registration(&self) -> RegistrationId {
        self.registration
    }
}

/// The time-out that the callee has to keep.
pub(super) fn timeout(details: &InvocationDetails) -> Option<Duration> {
    // WAMP spec, "Call Timeouts": milliseconds, and 0 is none.
    let limit = details.timeout().filter(|limit| *limit > 0)?;
    Some(Duration::from_millis(limit))
}
