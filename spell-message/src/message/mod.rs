//! The messages of WAMP v2, one struct each.

mod error;
mod kind;
mod pubsub;
mod rpc;
mod session;
mod unknown;

pub use error::{ErrorMessage, RequestKind};
pub use kind::{Kind, Sender};
pub use pubsub::{
    Event, EventReceived, Publish, Published, Subscribe, Subscribed, Unsubscribe, Unsubscribed,
};
pub use rpc::{
    Call, Cancel, Interrupt, Invocation, Register, Registered, ResultMessage, Unregister,
    Unregistered, Yield,
};
pub use session::{Abort, Authenticate, Challenge, Goodbye, Hello, Welcome};
pub use unknown::Unknown;

use crate::{Payload, RequestId};

macro_rules! messages {
    ($($Variant:ident($Struct:ident) $name:literal;)*) => {
        /// Any WAMP message.
        ///
        /// WAMP spec, "Messages" and "Additional Messages".
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Message {
            $(#[doc = $name] $Variant($Struct),)*
            /// A message with a code that the specification does not assign.
            Unknown(Unknown),
        }

        impl Message {
            /// Which message it is; `None` for an unknown one.
            pub fn kind(&self) -> Option<Kind> {
                match self {
                    $(Self::$Variant(_) => Some(Kind::$Variant),)*
                    Self::Unknown(_) => None,
                }
            }
        }

        $(impl From<$Struct> for Message {
            fn from(message: $Struct) -> Self {
                Self::$Variant(message)
            }
        })*
    };
}

messages! {
    Hello(Hello) "HELLO";
    Welcome(Welcome) "WELCOME";
    Abort(Abort) "ABORT";
    Challenge(Challenge) "CHALLENGE";
    Authenticate(Authenticate) "AUTHENTICATE";
    Goodbye(Goodbye) "GOODBYE";
    Error(ErrorMessage) "ERROR";
    Publish(Publish) "PUBLISH";
    Published(Published) "PUBLISHED";
    Subscribe(Subscribe) "SUBSCRIBE";
    Subscribed(Subscribed) "SUBSCRIBED";
    Unsubscribe(Unsubscribe) "UNSUBSCRIBE";
    Unsubscribed(Unsubscribed) "UNSUBSCRIBED";
    Event(Event) "EVENT";
    EventReceived(EventReceived) "`EVENT_RECEIVED`, an extension";
    Call(Call) "CALL";
    Cancel(Cancel) "CANCEL";
    Result(ResultMessage) "RESULT";
    Register(Register) "REGISTER";
    Registered(Registered) "REGISTERED";
    Unregister(Unregister) "UNREGISTER";
    Unregistered(Unregistered) "UNREGISTERED";
    Invocation(Invocation) "INVOCATION";
    Interrupt(Interrupt) "INTERRUPT";
    Yield(Yield) "YIELD";
}

impl From<Unknown> for Message {
    fn from(message: Unknown) -> Self {
        Self::Unknown(message)
    }
}

impl Message {
    /// The message code, the first element on the wire.
    pub fn code(&self) -> u64 {
        match self {
            Self::Unknown(message) => message.code,
            known => known.kind().map_or(0, Kind::code),
        }
    }

    /// The name as the specification writes it, `UNKNOWN` for an unknown message.
    pub fn name(&self) -> &'static str {
        self.kind().map_or("UNKNOWN", Kind::name)
    }

    /// The request id: the message's own, or that of the request it refers to.
    pub fn request(&self) -> Option<RequestId> {
        Some(match self {
            Self::Error(message) => message.request,
            Self::Publish(message) => message.request,
            Self::Published(message) => message.request,
            Self::Subscribe(message) => message.request,
            Self::Subscribed(message) => message.request,
            Self::Unsubscribe(message) => message.request,
            Self::Unsubscribed(Unsubscribed::Reply { request })
            | Self::Unregistered(Unregistered::Reply { request }) => *request,
            Self::Call(message) => message.request,
            Self::Cancel(message) => message.request,
            Self::Result(message) => message.request,
            Self::Register(message) => message.request,
            Self::Registered(message) => message.request,
            Self::Unregister(message) => message.request,
            Self::Invocation(message) => message.request,
            Self::Interrupt(message) => message.request,
            Self::Yield(message) => message.request,
            _ => return None,
        })
    }

    /// The arguments, for the messages that can have some.
    pub fn payload(&self) -> Option<&Payload> {
        Some(match self {
            Self::Abort(message) => &message.payload,
            Self::Error(message) => &message.payload,
            Self::Publish(message) => &message.payload,
            Self::Event(message) => &message.payload,
            Self::Call(message) => &message.payload,
            Self::Result(message) => &message.payload,
            Self::Invocation(message) => &message.payload,
            Self::Yield(message) => &message.payload,
            _ => return None,
        })
    }

    /// The place of the arguments, for the messages that can have some; to transcode them.
    pub fn payload_mut(&mut self) -> Option<&mut Payload> {
        Some(match self {
            Self::Abort(message) => &mut message.payload,
            Self::Error(message) => &mut message.payload,
            Self::Publish(message) => &mut message.payload,
            Self::Event(message) => &mut message.payload,
            Self::Call(message) => &mut message.payload,
            Self::Result(message) => &mut message.payload,
            Self::Invocation(message) => &mut message.payload,
            Self::Yield(message) => &mut message.payload,
            _ => return None,
        })
    }
}
