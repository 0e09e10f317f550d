use std::borrow::Cow;

use serde::Serialize;
use spell_message::{
    Dict, MatchPolicy, Message, Pattern, Payload,
    message::{Unknown, Unregistered, Unsubscribed},
};

use super::bare::is_bare;
use crate::EncodeError;

/// Takes the elements of a message, one after the other.
pub(crate) trait Writer {
    /// The arguments as they are written: in another format they can be fewer elements than they
    /// were, since empty ones are dropped on the way.
    fn prepare<'p>(&self, payload: &'p Payload) -> Result<Cow<'p, Payload>, EncodeError>;
    /// A message of this many elements begins, the last of which are these arguments.
    fn begin(&mut self, elements: usize, payload: &Payload);
    /// The next element, an integer.
    fn integer(&mut self, integer: u64) -> Result<(), EncodeError>;
    /// The next element, a dictionary.
    fn dict(&mut self, dict: &Dict) -> Result<(), EncodeError>;
    /// The next element.
    fn element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), EncodeError>;
    /// The arguments, prepared: none, one or two elements.
    fn payload(&mut self, payload: &Payload) -> Result<(), EncodeError>;
    /// The arguments, prepared, without their list; `false` if they are not one binary, or text, in
    /// a list.
    fn bare(&mut self, payload: &Payload) -> Result<bool, EncodeError>;
    /// The message ends.
    fn end(&mut self);
}

/// Writes a message, element by element.
pub(crate) fn write<W: Writer>(message: &Message, out: &mut W) -> Result<(), EncodeError> {
    macro_rules! elements {
        ($($method:ident $element:expr),*) => {
            elements!($($method $element),*; &Payload::default())
        };
        ($($method:ident $element:expr),*; $payload:expr) => {{
            let payload = $payload;
            let payload = out.prepare(payload)?;
            let count = ["code" $(, stringify!($element))*].len();
            out.begin(count.saturating_add(arguments(&payload)), &payload);
            out.integer(message.code())?;
            $(out.$method($element)?;)*
            if !(is_bare(message) && out.bare(&payload)?) {
                out.payload(&payload)?;
            }
            out.end();
            Ok(())
        }};
    }

    match message {
        Message::Hello(m) => elements!(element &m.realm, dict m.details.as_dict()),
        Message::Welcome(m) => elements!(integer m.session.get(), dict m.details.as_dict()),
        Message::Abort(m) => elements!(dict m.details.as_dict(), element &m.reason; &m.payload),
        Message::Challenge(m) => elements!(element & m.method, dict & m.extra),
        Message::Authenticate(m) => elements!(element & m.signature, dict & m.extra),
        Message::Goodbye(m) => elements!(dict m.details.as_dict(), element &m.reason),
        Message::Error(m) => elements!(
            integer m.request_kind.code(), integer m.request.get(), dict m.details.as_dict(), element &m.error; &m.payload),
        Message::Publish(m) => {
            elements!(integer m.request.get(), dict m.options.as_dict(), element &m.topic; &m.payload)
        }
        Message::Published(m) => elements!(integer m.request.get(), integer m.publication.get()),
        Message::Subscribe(m) => {
            let options = with_match(m.options.as_dict(), m.options.match_policy(), &m.topic);
            let options = options.as_ref().unwrap_or(m.options.as_dict());
            elements!(integer m.request.get(), dict options, element m.topic.as_str())
        }
        Message::Subscribed(m) => elements!(integer m.request.get(), integer m.subscription.get()),
        Message::Unsubscribe(m) => elements!(integer m.request.get(), integer m.subscription.get()),
        Message::Unsubscribed(Unsubscribed::Reply { request })
        | Message::Unregistered(Unregistered::Reply { request }) => {
            elements!(integer request.get())
        }
        Message::Unsubscribed(Unsubscribed::Revocation { details }) => {
            elements!(integer NO_REQUEST, dict details.as_dict())
        }
        Message::Event(m) => {
            elements!(integer m.subscription.get(), integer m.publication.get(), dict m.details.as_dict(); &m.payload)
        }
        Message::EventReceived(m) => elements!(integer m.publication.get()),
        Message::Call(m) => {
            elements!(integer m.request.get(), dict m.options.as_dict(), element &m.procedure; &m.payload)
        }
        Message::Cancel(m) => elements!(integer m.request.get(), dict m.options.as_dict()),
        Message::Result(m) => {
            elements!(integer m.request.get(), dict m.details.as_dict(); &m.payload)
        }
        Message::Register(m) => {
            let options = with_match(m.options.as_dict(), m.options.match_policy(), &m.procedure);
            let options = options.as_ref().unwrap_or(m.options.as_dict());
            elements!(integer m.request.get(), dict options, element m.procedure.as_str())
        }
        Message::Registered(m) => elements!(integer m.request.get(), integer m.registration.get()),
        Message::Unregister(m) => elements!(integer m.request.get(), integer m.registration.get()),
        Message::Unregistered(Unregistered::Revocation { details }) => {
            elements!(integer NO_REQUEST, dict details.as_dict())
        }
        Message::Invocation(m) => {
            elements!(integer m.request.get(), integer m.registration.get(), dict m.details.as_dict(); &m.payload)
        }
        Message::Interrupt(m) => elements!(integer m.request.get(), dict m.options.as_dict()),
        Message::Yield(m) => {
            elements!(integer m.request.get(), dict m.options.as_dict(); &m.payload)
        }
        Message::Unknown(Unknown { code, fields }) => {
            out.begin(fields.len().saturating_add(1), &Payload::default());
            out.integer(*code)?;
            fields.iter().try_for_each(|field| out.element(field))?;
            out.end();
            Ok(())
        }
        other => Err(EncodeError::Value {
            format: "a list",
            source: format!("{} is not known here", other.name()).into(),
        }),
    }
}

/// How many elements the arguments are.
fn arguments(payload: &Payload) -> usize {
    match (payload.args(), payload.kwargs()) {
        ([], []) => 0,
        (_, []) => 1,
        _ => 2,
    }
}

/// The options with the policy of the pattern, where they have another one.
fn with_match(options: &Dict, named: Option<MatchPolicy>, pattern: &Pattern) -> Option<Dict> {
    (named.unwrap_or_default() != pattern.policy()).then(|| {
        let mut options = options.clone();
        options.insert("match", pattern.policy().as_str());
        options
    })
}

/// WAMP spec, "Subscription Revocation": the request id of what answers no request.
const NO_REQUEST: u64 = 0;
