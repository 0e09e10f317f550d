//! What the benches share: messages to encode and decode, and a client without IO.

pub mod frames;
mod joined;
mod large;
mod samples;

use spell_message::{
    Dict, Format, Message, Pattern, Payload, PublicationId, RegistrationId, RequestId,
    RoleFeatures, RoleName, SessionId, SubscriptionId, Uri,
    message::{
        Abort, Authenticate, Call, Cancel, Challenge, ErrorMessage, Event, Goodbye, Hello,
        Interrupt, Invocation, Publish, Published, Register, Registered, RequestKind,
        ResultMessage, Subscribe, Subscribed, Unregister, Unregistered, Unsubscribe, Unsubscribed,
        Welcome, Yield,
    },
    options::{
        AbortDetails, CallOptions, CancelMode, CancelOptions, ErrorDetails, EventDetails,
        GoodbyeDetails, HelloDetails, InterruptOptions, InvocationDetails, PublishOptions,
        RegisterOptions, ResultDetails, SubscribeOptions, WelcomeDetails, YieldOptions,
    },
    reason,
};
use spell_serializer::payload;

pub use joined::Joined;
pub use large::Large;
pub use samples::Sample;

/// One message of each kind, with small arguments in `format` where it can have some.
///
/// # Panics
///
/// If a constant of it is no URI.
#[expect(clippy::too_many_lines, reason = "one entry a message")]
#[expect(clippy::panic, reason = "constants of a bench")]
pub fn messages(format: Format) -> Vec<(&'static str, Message)> {
    let request = RequestId::MIN;
    let uri = |text: &str| Uri::new(text).unwrap_or_else(|error| panic!("{error}"));
    let arguments = payload::encode(format, &("Hello", 42), None::<&()>).unwrap_or_default();
    let mut client = RoleFeatures::new();
    client.add(RoleName::Caller, []);
    client.add(RoleName::Subscriber, []);
    let mut router = RoleFeatures::new();
    router.add(RoleName::Broker, []);
    router.add(RoleName::Dealer, []);
    let mut hello = HelloDetails::new();
    hello.set_roles(client).set_agent("spell");
    let mut welcome = WelcomeDetails::new();
    welcome.set_roles(router).set_authid("joe");
    let mut acknowledge = PublishOptions::new();
    acknowledge.set_acknowledge(true);
    let mut cancel = CancelOptions::new();
    cancel.set_mode(CancelMode::Kill);

    let messages: Vec<Message> = vec![
        Hello {
            realm: uri("realm1"),
            details: hello,
        }
        .into(),
        Welcome {
            session: SessionId::MAX,
            details: welcome,
        }
        .into(),
        Abort {
            details: AbortDetails::new(),
            reason: uri(reason::NO_SUCH_REALM),
            payload: Payload::default(),
        }
        .into(),
        Challenge {
            method: "ticket".into(),
            extra: Dict::new(),
        }
        .into(),
        Authenticate {
            signature: "secret".into(),
            extra: Dict::new(),
        }
        .into(),
        Goodbye {
            details: GoodbyeDetails::new(),
            reason: uri(reason::CLOSE_REALM),
        }
        .into(),
        ErrorMessage {
            request_kind: RequestKind::Call,
            request,
            details: ErrorDetails::new(),
            error: uri(reason::INVALID_ARGUMENT),
            payload: arguments.clone(),
        }
        .into(),
        Publish {
            request,
            options: acknowledge,
            topic: uri("com.example.topic"),
            payload: arguments.clone(),
        }
        .into(),
        Published {
            request,
            publication: PublicationId::MAX,
        }
        .into(),
        Subscribe {
            request,
            options: SubscribeOptions::new(),
            topic: Pattern::from(uri("com.example.topic")),
        }
        .into(),
        Subscribed {
            request,
            subscription: SubscriptionId::MAX,
        }
        .into(),
        Unsubscribe {
            request,
            subscription: SubscriptionId::MAX,
        }
        .into(),
        Unsubscribed::Reply { request }.into(),
        event(arguments.clone()),
        Call {
            request,
            options: CallOptions::new(),
            procedure: uri("com.example.procedure"),
            payload: arguments.clone(),
        }
        .into(),
        Cancel {
            request,
            options: cancel,
        }
        .into(),
        ResultMessage {
            request,
            details: ResultDetails::new(),
            payload: arguments.clone(),
        }
        .into(),
        Register {
            request,
            options: RegisterOptions::new(),
            procedure: Pattern::from(uri("com.example.procedure")),
        }
        .into(),
        Registered {
            request,
            registration: RegistrationId::MAX,
        }
        .into(),
        Unregister {
            request,
            registration: RegistrationId::MAX,
        }
        .into(),
        Unregistered::Reply { request }.into(),
        Invocation {
            request,
            registration: RegistrationId::MAX,
            details: InvocationDetails::new(),
            payload: arguments.clone(),
        }
        .into(),
        Interrupt {
            request,
            options: InterruptOptions::new(),
        }
        .into(),
        Yield {
            request,
            options: YieldOptions::new(),
            payload: arguments,
        }
        .into(),
    ];
    messages
        .into_iter()
        .map(|message| (message.name(), message))
        .collect()
}

/// An EVENT with these arguments.
pub fn event(payload: Payload) -> Message {
    Event {
        subscription: SubscriptionId::MAX,
        publication: PublicationId::MAX,
        details: EventDetails::new(),
        payload,
    }
    .into()
}
