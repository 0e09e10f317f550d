#![expect(clippy::exhaustive_structs, reason = "fixed by the specification")]

use crate::{
    Pattern, Payload, RegistrationId, RequestId, Uri,
    options::{
        CallOptions, CancelOptions, InterruptOptions, InvocationDetails, RegisterOptions,
        ResultDetails, UnregisteredDetails, YieldOptions,
    },
};

/// CALL: the caller calls a procedure.
///
/// WAMP spec, "CALL".
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The id of this request.
    pub request: RequestId,
    /// Time-out, progress and more.
    pub options: CallOptions,
    /// What to call.
    pub procedure: Uri,
    /// With which arguments.
    pub payload: Payload,
}

/// CANCEL: the caller gives up a call.
///
/// WAMP spec, "Call Canceling".
#[derive(Clone, Debug, PartialEq)]
pub struct Cancel {
    /// The CALL to cancel.
    pub request: RequestId,
    /// The mode.
    pub options: CancelOptions,
}

/// RESULT: what a call gave, or a part of it.
///
/// WAMP spec, "RESULT".
#[derive(Clone, Debug, PartialEq)]
pub struct ResultMessage {
    /// The CALL this answers.
    pub request: RequestId,
    /// Whether more is to come, and more.
    pub details: ResultDetails,
    /// The result.
    pub payload: Payload,
}

/// REGISTER: the callee offers a procedure.
///
/// WAMP spec, "REGISTER".
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// The id of this request.
    pub request: RequestId,
    /// How the procedure matches, how callees share it, and more. Its `match` is that of
    /// [`procedure`](Self::procedure).
    pub options: RegisterOptions,
    /// Which procedures.
    pub procedure: Pattern,
}

/// REGISTERED: the dealer took a registration.
///
/// WAMP spec, "REGISTERED".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The REGISTER this answers.
    pub request: RequestId,
    /// The registration that the invocations will name.
    pub registration: RegistrationId,
}

/// UNREGISTER: the callee withdraws a registration.
///
/// WAMP spec, "UNREGISTER".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unregister {
    /// The id of this request.
    pub request: RequestId,
    /// The registration to end.
    pub registration: RegistrationId,
}

/// UNREGISTERED: a registration is over.
///
/// WAMP spec, "UNREGISTERED" and "Registration Revocation".
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "fixed by the specification")]
pub enum Unregistered {
    /// The answer to UNREGISTER.
    Reply {
        /// The UNREGISTER this answers.
        request: RequestId,
    },
    /// The dealer took the registration away. On the wire this has the request id 0.
    Revocation {
        /// Which registration, and why.
        details: UnregisteredDetails,
    },
}

/// INVOCATION: the dealer hands a call to the callee.
///
/// WAMP spec, "INVOCATION".
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The id of this invocation, which YIELD, ERROR and INTERRUPT repeat.
    pub request: RequestId,
    /// The registration it is for.
    pub registration: RegistrationId,
    /// Who calls, which procedure, and more.
    pub details: InvocationDetails,
    /// With which arguments.
    pub payload: Payload,
}

/// INTERRUPT: the dealer asks the callee to stop an invocation.
///
/// WAMP spec, "Call Canceling".
#[derive(Clone, Debug, PartialEq)]
pub struct Interrupt {
    /// The INVOCATION to stop.
    pub request: RequestId,
    /// The mode.
    pub options: InterruptOptions,
}

/// YIELD: the callee answers an invocation, or gives a part of the answer.
///
/// WAMP spec, "YIELD".
#[derive(Clone, Debug, PartialEq)]
pub struct Yield {
    /// The INVOCATION this answers.
    pub request: RequestId,
    /// Whether more is to come, and more.
    pub options: YieldOptions,
    /// The result.
    pub payload: Payload,
}
