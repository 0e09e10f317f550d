//! What ERROR messages and the end of a session become: one error type per operation.

use std::{error::Error, fmt, sync::Arc};

use serde::Deserialize;
use spell_message::{
    Feature, InvalidUri, List, Payload, RoleName, Uri, Value,
    message::ErrorMessage,
    options::{ErrorDetails, InvalidOption},
    reason,
};
use spell_peer::{CloseReason, Closed, Context, Delivery, SendError, SessionInfo};
use spell_serializer::{DecodeError, EncodeError};

use crate::passthru::{Opened, Passthru};

/// The ERROR with which a router, or a callee through it, answered a request.
///
/// Compare the [`uri`](Self::uri) with the names in [`spell_message::reason`] or with those of your
/// application.
///
/// `Display` shows the URI and, where the first argument is a text, the beginning of that text.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Callee, Caller, Session};
/// use spell_roles::prelude::*;
/// use spell_roles::{CallError, InvocationError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let peer = PeerBuilder::new(Session::new("com.example.realm"));
/// # let peer = peer.role(Caller::new()).role(Callee::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let _divide = peer
///     .register("com.example.divide")
///     .handler(|(a, b): (i64, i64)| async move {
///         let by_zero = || InvocationError::new("com.example.error.by_zero").arg("no").arg(a);
///         a.checked_div(b).ok_or_else(by_zero)
///     })
///     .await?;
///
/// match peer.call("com.example.divide").args((6, 0)).await {
///     Err(CallError::Refused(error)) if error.uri() == "com.example.error.by_zero" => {
///         assert_eq!(error.args::<(String, i64)>()?, ("no".to_owned(), 6));
///         assert_eq!(error.to_string(), "com.example.error.by_zero: no");
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "ERROR".
#[derive(Clone, Debug, PartialEq)]
pub struct WampError {
    uri: Uri,
    details: ErrorDetails,
    payload: Opened,
}

impl WampError {
    /// What went wrong.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What the router added; often nothing.
    pub fn details(&self) -> &ErrorDetails {
        &self.details
    }

    /// The arguments, undecoded. Sealed ones that were not opened are as they came, and
    /// [`details`](Self::details) tell how they are sealed: `ppt_scheme` and what goes with it.
    pub fn payload(&self) -> &Payload {
        self.payload.payload()
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

    /// Open its arguments, if they are sealed.
    pub(crate) fn open(&mut self, codec: Option<&Passthru>) {
        self.payload.open_error(self.details.as_dict(), codec);
    }
}

impl From<ErrorMessage> for WampError {
    fn from(message: ErrorMessage) -> Self {
        Self {
            uri: message.error,
            details: message.details,
            payload: message.payload.into(),
        }
    }
}

impl fmt::Display for WampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uri.escape_debug())?;
        let args: List = self.args().unwrap_or_default();
        match args.first().and_then(Value::as_str) {
            Some(text) => write!(f, ": {}", Excerpt(text)),
            None => Ok(()),
        }
    }
}

impl Error for WampError {}

/// The beginning of a text from outside, fit for one line of a log.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        for char in chars.by_ref().take(EXCERPT_CHARS) {
            write!(f, "{}", char.escape_debug())?;
        }
        f.write_str(if chars.as_str().is_empty() { "" } else { "…" })
    }
}

const EXCERPT_CHARS: usize = 120;

/// The router's software, where it is known.
struct Agent<'a>(Option<&'a str>);

impl fmt::Display for Agent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |agent| write!(f, " ({})", Excerpt(agent)))
    }
}

/// Why a request of any kind failed, once its handle had let go of it.
///
/// The roles answer with this; each operation has a public error made of it.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Refused(Box<WampError>),
    Closed {
        reason: CloseReason,
        delivery: Delivery,
    },
    Timeout(Delivery),
    Encode(Arc<EncodeError>),
    TooLarge {
        size: usize,
        limit: usize,
    },
    Unsupported {
        role: RoleName,
        feature: Option<Feature>,
        router: Option<Arc<str>>,
    },
}

impl Failure {
    /// The request could not be committed: nothing was sent.
    pub(crate) fn not_committed<C: Send + 'static>(error: SendError, cx: &Context<'_, C>) -> Self {
        Self::not_sent(error, cx.last_end())
    }

    /// Nothing was sent; `last_end` says why there is no session, if that is the reason.
    pub(crate) fn not_sent(error: SendError, last_end: Option<&CloseReason>) -> Self {
        match error {
            SendError::Encode(error) => Self::Encode(Arc::new(error)),
            SendError::TooLarge { size, limit } => Self::TooLarge { size, limit },
            _ => Self::no_session(last_end),
        }
    }

    /// What became of the request, in short.
    pub(crate) fn outcome(&self) -> &str {
        match self {
            Self::Refused(error) => error.uri().as_str(),
            Self::Closed { .. } => "closed",
            Self::Timeout(_) => "timed out",
            Self::Encode(_) | Self::TooLarge { .. } | Self::Unsupported { .. } => "not sent",
        }
    }

    /// There is no session now: nothing was sent.
    pub(crate) fn no_session(last_end: Option<&CloseReason>) -> Self {
        Self::Closed {
            reason: last_end.cloned().unwrap_or(CloseReason::Disconnected),
            delivery: Delivery::NotSent,
        }
    }

    /// The peer has ended: nothing was sent.
    pub(crate) fn closed(closed: Closed) -> Self {
        Self::Closed {
            reason: closed.reason,
            delivery: Delivery::NotSent,
        }
    }

    /// What the router must have announced, and did not; `feature` is `None` for the role itself.
    ///
    /// A router that announced no role at all is trusted to have them: it tells by its answers.
    pub(crate) fn unsupported<C: Send + 'static>(
        role: RoleName,
        feature: Option<Feature>,
        cx: &Context<'_, C>,
    ) -> Option<Self> {
        let session = cx.session()?;
        let announced = match feature {
            Some(feature) => session.supports(role, feature),
            None => session.roles().has(role),
        };
        let is_trusted = announced || session.roles().is_empty();
        (!is_trusted).then(|| Self::lacking(role, feature, session))
    }

    /// Open the arguments of an ERROR, if they are sealed.
    pub(crate) fn open(mut self, codec: Option<&Passthru>) -> Self {
        if let Self::Refused(error) = &mut self {
            error.open(codec);
        }
        self
    }

    /// The router lacks something.
    pub(crate) fn lacking(role: RoleName, feature: Option<Feature>, router: &SessionInfo) -> Self {
        Self::Unsupported {
            role,
            feature,
            router: router.agent().map(Arc::from),
        }
    }
}

impl From<ErrorMessage> for Failure {
    fn from(message: ErrorMessage) -> Self {
        Self::Refused(Box::new(message.into()))
    }
}

/// Defines the error of one operation. Those that take a name and options from the user have the
/// variants `Uri` and `Option` for them, and may have one of their own.
macro_rules! errors {
    ($(
        $(#[$doc:meta])*
        $Name:ident: $what:literal $(, named by a $name:literal: $Uri:ident, $Option:ident $(,
            $($(#[$extra_doc:meta])* $Extra:ident: $extra:literal => $delivery:expr),+)?)?;
    )*) => { $(
        $(#[$doc])*
        ///
        /// `Display` prints one level; [`source`](Error::source) gives the cause.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum $Name {
            /// It was answered with an ERROR: by the router, or by the callee of a call.
            Refused(Box<WampError>),
            /// There is no session, or it ended before the answer came.
            #[non_exhaustive]
            Closed {
                /// Why the session ended.
                reason: CloseReason,
                /// What became of the request.
                delivery: Delivery,
            },
            /// The answer did not come in time.
            Timeout(Delivery),
            /// What was given could not be encoded. Nothing was sent.
            Encode(Arc<EncodeError>),
            /// The message is larger than the router takes. Nothing was sent.
            #[non_exhaustive]
            TooLarge {
                /// The size in bytes: of the message, or of its arguments if they are too many.
                size: usize,
                /// What the router takes, in bytes.
                limit: usize,
            },
            /// The router did not announce what this needs. Nothing was sent.
            #[non_exhaustive]
            Unsupported {
                /// The role of the router.
                role: RoleName,
                /// The feature of that role; `None` if the router lacks the role itself.
                feature: Option<Feature>,
                /// The software of the router, if it says so.
                router: Option<Arc<str>>,
            },
            $(
                #[doc = concat!("The name of the ", $name, " is no URI. Nothing was sent.")]
                $Uri(InvalidUri),
                /// An option has a value that the specification does not allow. Nothing was sent.
                $Option(Box<InvalidOption>),
                $($($(#[$extra_doc])* $Extra,)+)?
            )?
        }

        impl $Name {
            /// The URI of the ERROR that answered the request; `None` if it failed otherwise.
            pub fn uri(&self) -> Option<&Uri> {
                match self {
                    Self::Refused(error) => Some(error.uri()),
                    _ => None,
                }
            }

            /// What became of the request; `None` if it was answered.
            pub fn delivery(&self) -> Option<Delivery> {
                match self {
                    Self::Refused(_) => None,
                    $($($(Self::$Extra => $delivery,)+)?)?
                    Self::Closed { delivery, .. } | Self::Timeout(delivery) => Some(*delivery),
                    _ => Some(Delivery::NotSent),
                }
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Refused(_) => f.write_str(concat!($what, " was answered with an error")),
                    Self::Closed { delivery, .. } => {
                        write!(f, concat!($what, " failed without a session, {}"), delivery)
                    }
                    Self::Timeout(delivery) => {
                        write!(f, concat!($what, " was not answered in time, {}"), delivery)
                    }
                    Self::Encode(_) => f.write_str(concat!($what, " could not be encoded")),
                    Self::TooLarge { size, limit } => {
                        write!(f, concat!($what, " has {} bytes, the router takes {}"), size, limit)
                    }
                    Self::Unsupported { role, feature, router } => {
                        write!(f, "the router{}", Agent(router.as_deref()))?;
                        match feature {
                            Some(feature) => write!(f, " did not announce {feature} as {role}"),
                            None => write!(f, " is no {role}"),
                        }
                    }
                    $(
                        Self::$Uri(_) => {
                            f.write_str(concat!("the name of the ", $name, " is not valid"))
                        }
                        Self::$Option(_) => f.write_str(concat!($what, " has an invalid option")),
                        $($(Self::$Extra => f.write_str($extra),)+)?
                    )?
                }
            }
        }

        impl Error for $Name {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                match self {
                    Self::Refused(error) => Some(&**error),
                    Self::Closed { reason, .. } => Some(reason),
                    Self::Encode(error) => Some(&**error),
                    $(
                        Self::$Uri(error) => Some(error),
                        Self::$Option(error) => Some(&**error),
                    )?
                    _ => None,
                }
            }
        }

        impl From<Failure> for $Name {
            fn from(failure: Failure) -> Self {
                match failure {
                    Failure::Refused(error) => Self::Refused(error),
                    Failure::Closed { reason, delivery } => Self::Closed { reason, delivery },
                    Failure::Timeout(delivery) => Self::Timeout(delivery),
                    Failure::Encode(error) => Self::Encode(error),
                    Failure::TooLarge { size, limit } => Self::TooLarge { size, limit },
                    Failure::Unsupported { role, feature, router } => {
                        Self::Unsupported { role, feature, router }
                    }
                }
            }
        }

        $(
            impl From<InvalidUri> for $Name {
                fn from(error: InvalidUri) -> Self {
                    Self::$Uri(error)
                }
            }

            impl From<InvalidOption> for $Name {
                fn from(error: InvalidOption) -> Self {
                    Self::$Option(Box::new(error))
                }
            }
        )?

        // Errors travel in every result.
        const _: () = assert!(size_of::<$Name>() <= 32);
    )* };
}

errors! {
    /// A call gave no result.
    CallError: "the call", named by a "procedure": Uri, Option,
        /// The queue of its progressive results was full, and its policy is
        /// [`Overflow::End`](crate::Overflow::End). The call was cancelled;
        /// [`CallResults::missed`](crate::CallResults::missed) tells how many results
        /// were lost until then.
        Lagged: "the progressive results of the call were read too slowly" => None,
        /// It takes no more arguments: its result came, it was given up, or the last arguments were
        /// sent before. These were not.
        Finished: "the call takes no more arguments" => None;
    /// A publication failed.
    PublishError: "the publication", named by a "topic": Uri, Option,
        /// There was no session for longer than it may wait in the
        /// [`Outbox`](crate::Outbox). Nothing was sent.
        Expired: "the publication waited for a session for too long" => Some(Delivery::NotSent),
        /// There is no session, and no room in the [`Outbox`](crate::Outbox). Nothing was sent.
        OutboxFull: "there is no room for the publication to wait for a session"
            => Some(Delivery::NotSent);
    /// A subscription could not be made, or restored.
    SubscribeError: "the subscription", named by a "topic": Uri, Option;
    /// A subscription could not be ended.
    UnsubscribeError: "the end of the subscription";
    /// A procedure could not be registered, or registered again.
    RegisterError: "the registration", named by a "procedure": Uri, Option,
        /// This peer has a registration of that procedure already, and the router takes both for
        /// one. The first one stays.
        AlreadyRegistered: "this peer registered the procedure already" => None;
    /// A registration could not be ended.
    UnregisterError: "the end of the registration";
}

impl CallError {
    /// Whether the call was cancelled: the answer is `wamp.error.canceled`, in either of its
    /// spellings. It comes also when the callee left.
    ///
    /// WAMP spec, "Call Canceling".
    pub fn is_canceled(&self) -> bool {
        let canceled = |uri: &Uri| *uri == reason::CANCELED || *uri == reason::CANCELLED;
        self.uri().is_some_and(canceled)
    }

    /// Whether the time was up, by this peer's clock ([`Timeout`](Self::Timeout)) or by that of the
    /// router or the callee (`wamp.error.timeout`).
    ///
    /// WAMP spec, "Call Timeouts".
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_)) || self.uri().is_some_and(|uri| *uri == reason::TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use spell_message::{Format, RequestId, message::RequestKind};
    use spell_serializer::PayloadBuilder;

    use super::*;

    fn error(payload: PayloadBuilder) -> WampError {
        WampError::from(ErrorMessage {
            request_kind: RequestKind::Call,
            request: RequestId::MIN,
            details: ErrorDetails::new(),
            error: Uri::new("com.example.no").unwrap(),
            payload: payload.finish().unwrap(),
        })
    }

    #[test]
    fn the_text_of_an_error_is_escaped_and_shortened() {
        let long = format!("two\nlines{}", "x".repeat(1000));
        let text = error(PayloadBuilder::new(Format::Json).arg(&long)).to_string();
        assert!(text.starts_with(r"com.example.no: two\nlinesx"), "{text}");
        assert!(text.ends_with("x…") && text.len() < 200, "{text}");
        let plain = error(PayloadBuilder::new(Format::Json).arg(&1));
        assert_eq!(plain.to_string(), "com.example.no");
    }

    #[test]
    fn arguments_of_an_error_reach_the_user() {
        let payload = PayloadBuilder::new(Format::Json).arg(&7).kwarg("a", &1);
        let error = error(payload);
        assert_eq!(error.args::<(u8,)>().unwrap(), (7,));
        let kwargs: spell_message::Dict = error.kwargs().unwrap();
        assert_eq!(kwargs.get("a"), Some(&Value::from(1)));
        let call = CallError::from(Failure::Refused(Box::new(error)));
        assert_eq!(call.uri().map(Uri::as_str), Some("com.example.no"));
        let source = call.source().unwrap();
        assert!(source.downcast_ref::<WampError>().is_some());
    }

    #[test]
    fn what_the_router_lacks_is_told_with_the_name_of_the_router() {
        let error = |feature, router: Option<&str>| {
            CallError::from(Failure::Unsupported {
                role: RoleName::Dealer,
                feature,
                router: router.map(Arc::from),
            })
        };
        let lacking = error(Some(Feature::CallCanceling), Some("Router-1.0"));
        assert_eq!(
            lacking.to_string(),
            "the router (Router-1.0) did not announce call_canceling as dealer"
        );
        assert_eq!(error(None, None).to_string(), "the router is no dealer");
    }

    #[test]
    fn what_is_known_of_the_delivery_is_told() {
        let closed = CallError::Closed {
            reason: CloseReason::Disconnected,
            delivery: Delivery::OutcomeUnknown,
        };
        assert_eq!(closed.delivery(), Some(Delivery::OutcomeUnknown));
        let invalid = CallError::from(Uri::new("a..b").unwrap_err());
        assert_eq!(invalid.delivery(), Some(Delivery::NotSent));
    }
}
