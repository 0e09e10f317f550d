//! From the attributes that a sample lists to the message they describe.

use spell_message::{
    Dict, Format, List, Message, Pattern, Payload, PublicationId, RegistrationId, RequestId,
    SessionId, SubscriptionId, Uri, Value,
    message::{
        Abort, Authenticate, Call, Cancel, Challenge, ErrorMessage, Event, EventReceived, Goodbye,
        Hello, Interrupt, Invocation, Publish, Published, Register, Registered, RequestKind,
        ResultMessage, Subscribe, Subscribed, Unregister, Unregistered, Unsubscribe, Unsubscribed,
        Welcome, Yield,
    },
    options::{
        AbortDetails, CallOptions, CancelOptions, ErrorDetails, EventDetails, GoodbyeDetails,
        HelloDetails, InterruptOptions, InvocationDetails, PublishOptions, RegisterOptions,
        ResultDetails, SubscribeOptions, WelcomeDetails, YieldOptions,
    },
};
use spell_serializer::payload::encode;

use crate::samples;

/// The message, with its arguments encoded in `format`.
pub(crate) fn message(attributes: &Dict, format: Format) -> Message {
    let from = Attributes { attributes, format };
    let code = from.number("message_type");
    from.session_message(code)
        .or_else(|| from.pubsub_message(code))
        .or_else(|| from.rpc_message(code))
        .unwrap_or_else(|| panic!("no message is known with code {code}"))
}

/// The attributes by their names in the files.
struct Attributes<'a> {
    attributes: &'a Dict,
    format: Format,
}

impl Attributes<'_> {
    /// HELLO to GOODBYE.
    fn session_message(&self, code: u64) -> Option<Message> {
        Some(match code {
            1 => Hello {
                realm: self.uri("realm"),
                details: HelloDetails::from_dict(self.roles()).unwrap(),
            }
            .into(),
            2 => Welcome {
                session: self.session(),
                details: WelcomeDetails::from_dict(self.roles()).unwrap(),
            }
            .into(),
            3 => Abort {
                details: AbortDetails::from_dict(self.dict("details")).unwrap(),
                reason: self.uri("reason"),
                payload: self.payload(),
            }
            .into(),
            4 => Challenge {
                method: self.text("method"),
                extra: self.dict("extra"),
            }
            .into(),
            5 => Authenticate {
                signature: self.text("signature"),
                extra: self.dict("extra"),
            }
            .into(),
            6 => Goodbye {
                details: GoodbyeDetails::from_dict(self.dict("details")).unwrap(),
                reason: self.uri("reason"),
            }
            .into(),
            _ => return None,
        })
    }

    /// PUBLISH to EVENT, and `EVENT_RECEIVED`.
    fn pubsub_message(&self, code: u64) -> Option<Message> {
        Some(match code {
            16 => Publish {
                request: self.request(),
                options: PublishOptions::from_dict(self.dict("options")).unwrap(),
                topic: self.uri("topic"),
                payload: self.payload(),
            }
            .into(),
            17 => Published {
                request: self.request(),
                publication: self.publication(),
            }
            .into(),
            32 => Subscribe {
                request: self.request(),
                options: SubscribeOptions::from_dict(self.dict("options")).unwrap(),
                topic: Pattern::exact(self.text("topic")).unwrap(),
            }
            .into(),
            33 => Subscribed {
                request: self.request(),
                subscription: self.subscription(),
            }
            .into(),
            34 => Unsubscribe {
                request: self.request(),
                subscription: self.subscription(),
            }
            .into(),
            35 => Message::from(Unsubscribed::Reply {
                request: self.request(),
            }),
            36 => Event {
                subscription: self.subscription(),
                publication: self.publication(),
                details: EventDetails::from_dict(self.dict("details")).unwrap(),
                payload: self.payload(),
            }
            .into(),
            337 => EventReceived {
                publication: self.publication(),
            }
            .into(),
            _ => return None,
        })
    }

    /// CALL to YIELD, and ERROR.
    fn rpc_message(&self, code: u64) -> Option<Message> {
        Some(match code {
            8 => ErrorMessage {
                request_kind: RequestKind::from_code(self.number("request_type")).unwrap(),
                request: self.request(),
                details: ErrorDetails::from_dict(self.dict("details")).unwrap(),
                error: self.uri("error"),
                payload: self.payload(),
            }
            .into(),
            48 => Call {
                request: self.request(),
                options: CallOptions::from_dict(self.dict("options")).unwrap(),
                procedure: self.uri("procedure"),
                payload: self.payload(),
            }
            .into(),
            49 => Cancel {
                request: self.request(),
                options: CancelOptions::from_dict(self.dict("options")).unwrap(),
            }
            .into(),
            50 => ResultMessage {
                request: self.request(),
                details: ResultDetails::from_dict(self.dict("details")).unwrap(),
                payload: self.payload(),
            }
            .into(),
            64 => Register {
                request: self.request(),
                options: RegisterOptions::from_dict(self.dict("options")).unwrap(),
                procedure: Pattern::exact(self.text("procedure")).unwrap(),
            }
            .into(),
            65 => Registered {
                request: self.request(),
                registration: self.registration(),
            }
            .into(),
            66 => Unregister {
                request: self.request(),
                registration: self.registration(),
            }
            .into(),
            67 => Message::from(Unregistered::Reply {
                request: self.request(),
            }),
            68 => Invocation {
                request: self.request(),
                registration: self.registration(),
                details: InvocationDetails::from_dict(self.dict("details")).unwrap(),
                payload: self.payload(),
            }
            .into(),
            69 => Interrupt {
                request: self.request(),
                options: InterruptOptions::from_dict(self.dict("options")).unwrap(),
            }
            .into(),
            70 => Yield {
                request: self.request(),
                options: YieldOptions::from_dict(self.dict("options")).unwrap(),
                payload: self.payload(),
            }
            .into(),
            _ => return None,
        })
    }

    fn any(&self, name: &str) -> &Value {
        self.attributes
            .get(name)
            .unwrap_or_else(|| panic!("no attribute {name} in {:?}", self.attributes))
    }

    fn number(&self, name: &str) -> u64 {
        self.any(name).as_u64().unwrap()
    }

    fn text(&self, name: &str) -> String {
        self.any(name).as_str().unwrap().to_owned()
    }

    fn uri(&self, name: &str) -> Uri {
        Uri::new(self.text(name)).unwrap()
    }

    fn dict(&self, name: &str) -> Dict {
        self.any(name).as_dict().unwrap().clone()
    }

    fn request(&self) -> RequestId {
        RequestId::new(self.number("request_id")).unwrap()
    }

    fn session(&self) -> SessionId {
        SessionId::new(self.number("session_id")).unwrap()
    }

    fn registration(&self) -> RegistrationId {
        RegistrationId::new(self.number("registration_id")).unwrap()
    }

    /// EVENT's attributes are named otherwise than those of all other messages.
    fn subscription(&self) -> SubscriptionId {
        SubscriptionId::new(self.number(self.either("subscription_id", "subscription"))).unwrap()
    }

    fn publication(&self) -> PublicationId {
        PublicationId::new(self.number(self.either("publication_id", "publication"))).unwrap()
    }

    fn either<'a>(&self, name: &'a str, other: &'a str) -> &'a str {
        if self.attributes.contains_key(name) {
            name
        } else {
            other
        }
    }

    /// HELLO and WELCOME list their roles instead of the details that have them.
    fn roles(&self) -> Dict {
        Dict::from([("roles", self.dict("roles"))])
    }

    /// Null where there are none. A payload that stands without a list is given as hexadecimal digits.
    fn payload(&self) -> Payload {
        if let Some(digits) = self.attributes.get("payload").and_then(Value::as_str) {
            let binary = Value::bytes(samples::bytes(digits));
            return encode(self.format, &[binary], None::<&()>).unwrap();
        }
        let part = |name| self.attributes.get(name).filter(|value| !value.is_null());
        let none = Value::List(List::new());
        match (part("args"), part("kwargs")) {
            (None, None) => Payload::default(),
            (args, kwargs) => encode(self.format, args.unwrap_or(&none), kwargs).unwrap(),
        }
    }
}
