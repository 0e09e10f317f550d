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
    fn prepare(&self, payload: &Payload) -> Result<Payload, EncodeError>;
    /// A message of this many elements begins.
    fn begin(&mut self, elements: usize);
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
        ($($element:expr),*) => { elements!($($element),*; &Payload::default()) };
        ($($element:expr),*; $payload:expr) => {{
            let payload = out.prepare($payload)?;
            let count = ["code" $(, stringify!($element))*].len();
            out.begin(count.saturating_add(arguments(&payload)));
            out.element(&message.code())?;
            $(out.element($element)?;)*
            if !(is_bare(message) && out.bare(&payload)?) {
                out.payload(&payload)?;
            }
            out.end();
            Ok(())
        }};
    }

    match message {
        Message::Hello(m) => elements!(&m.realm, m.details.as_dict()),
        Message::Welcome(m) => elements!(&m.session, m.details.as_dict()),
        Message::Abort(m) => elements!(m.details.as_dict(), &m.reason; &m.payload),
        Message::Challenge(m) => elements!(&m.method, &m.extra),
        Message::Authenticate(m) => elements!(&m.signature, &m.extra),
        Message::Goodbye(m) => elements!(m.details.as_dict(), &m.reason),
        Message::Error(m) => elements!(
            &m.request_kind.code(), &m.request, m.details.as_dict(), &m.error; &m.payload),
        Message::Publish(m) => {
            elements!(&m.request, m.options.as_dict(), &m.topic; &m.payload)
        }
        Message::Published(m) => elements!(&m.request, &m.publication),
        Message::Subscribe(m) => {
            let options = with_match(m.options.as_dict(), m.options.match_policy(), &m.topic);
            let options = options.as_ref().unwrap_or(m.options.as_dict());
            elements!(&m.request, options, m.topic.as_str())
        }
        Message::Subscribed(m) => elements!(&m.request, &m.subscription),
        Message::Unsubscribe(m) => elements!(&m.request, &m.subscription),
        Message::Unsubscribed(Unsubscribed::Reply { request })
        | Message::Unregistered(Unregistered::Reply { request }) => elements!(request),
        Message::Unsubscribed(Unsubscribed::Revocation { details }) => {
            elements!(&NO_REQUEST, details.as_dict())
        }
        Message::Event(m) => {
            elements!(&m.subscription, &m.publication, m.details.as_dict(); &m.payload)
        }
        Message::EventReceived(m) => elements!(&m.publication),
        Message::Call(m) => {
            elements!(&m.request, m.options.as_dict(), &m.procedure; &m.payload)
        }
        Message::Cancel(m) => elements!(&m.request, m.options.as_dict()),
        Message::Result(m) => elements!(&m.request, m.details.as_dict(); &m.payload),
        Message::Register(m) => {
            let options = with_match(m.options.as_dict(), m.options.match_policy(), &m.procedure);
            let options = options.as_ref().unwrap_or(m.options.as_dict());
            elements!(&m.request, options, m.procedure.as_str())
        }
        Message::Registered(m) => elements!(&m.request, &m.registration),
        Message::Unregister(m) => elements!(&m.request, &m.registration),
        Message::Unregistered(Unregistered::Revocation { details }) => {
            elements!(&NO_REQUEST, details.as_dict())
        }
        Message::Invocation(m) => {
            elements!(&m.request, &m.registration, m.details.as_dict(); &m.payload)
        }
        Message::Interrupt(m) => elements!(&m.request, m.options.as_dict()),
        Message::Yield(m) => elements!(&m.request, m.options.as_dict(); &m.payload),
        Message::Unknown(Unknown { code, fields }) => {
            out.begin(fields.len().saturating_add(1));
            out.element(code)?;
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
