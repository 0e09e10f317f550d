//! Frames of clients and of routers, encoded ahead so that no bench measures this.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use spell_message::{
    Message, Pattern, Payload, PublicationId, RegistrationId, RequestId, RoleFeatures, RoleName,
    SessionId, SubscriptionId, Uri,
    message::{
        Call, Event, Hello, Invocation, Publish, Register, Registered, ResultMessage, Subscribe,
        Subscribed, Welcome, Yield,
    },
    options::{
        CallOptions, EventDetails, HelloDetails, InvocationDetails, PublishOptions,
        RegisterOptions, ResultDetails, SubscribeOptions, WelcomeDetails, YieldOptions,
    },
};
use spell_serializer::{AnySerializer, payload};

type Frame = Result<Bytes, Box<dyn Error>>;

/// The procedure of all calls.
pub const PROCEDURE: &str = "com.example.procedure";
/// The topic of all events.
pub const TOPIC: &str = "com.example.topic";
/// The second argument of everything that has arguments; the first is a number.
pub const TEXT: &str = "sixteen bytes ..";

/// HELLO of a client that has these roles.
pub fn hello(serializer: &AnySerializer, roles: &[RoleName]) -> Frame {
    let mut features = RoleFeatures::new();
    for role in roles {
        features.add(*role, []);
    }
    let mut details = HelloDetails::new();
    details.set_roles(features);
    let realm = Uri::new("com.example.realm")?;
    encode(serializer, Hello { realm, details })
}

/// WELCOME of a router that has these roles.
pub fn welcome(serializer: &AnySerializer, roles: RoleFeatures) -> Frame {
    let mut details = WelcomeDetails::new();
    details.set_roles(roles);
    let session = SessionId::MIN;
    encode(serializer, Welcome { session, details })
}

/// SUBSCRIBE for a topic.
pub fn subscribe(serializer: &AnySerializer, request: RequestId, topic: &str) -> Frame {
    let message = Subscribe {
        request,
        options: SubscribeOptions::new(),
        topic: Pattern::from(Uri::new(topic)?),
    };
    encode(serializer, message)
}

/// SUBSCRIBED, with the number of the request; that of the first one is the id of [`event`].
pub fn subscribed(serializer: &AnySerializer, request: RequestId) -> Frame {
    let subscription = SubscriptionId::new(request.get())?;
    let message = Subscribed {
        request,
        subscription,
    };
    encode(serializer, message)
}

/// An EVENT.
pub fn event(serializer: &AnySerializer) -> Frame {
    let message = Event {
        subscription: SubscriptionId::MIN,
        publication: PublicationId::MAX,
        details: EventDetails::new(),
        payload: arguments(serializer)?,
    };
    encode(serializer, message)
}

/// PUBLISH to [`TOPIC`], not acknowledged.
pub fn publish(serializer: &AnySerializer, request: RequestId) -> Frame {
    publish_with(PublishOptions::new(), serializer, request)
}

/// The same, acknowledged.
pub fn acknowledged_publish(serializer: &AnySerializer, request: RequestId) -> Frame {
    let mut options = PublishOptions::new();
    options.set_acknowledge(true);
    publish_with(options, serializer, request)
}

fn publish_with(options: PublishOptions, serializer: &AnySerializer, request: RequestId) -> Frame {
    let message = Publish {
        request,
        options,
        topic: Uri::new(TOPIC)?,
        payload: arguments(serializer)?,
    };
    encode(serializer, message)
}

/// REGISTER for a procedure.
pub fn register(serializer: &AnySerializer, request: RequestId, procedure: &str) -> Frame {
    let message = Register {
        request,
        options: RegisterOptions::new(),
        procedure: Pattern::from(Uri::new(procedure)?),
    };
    encode(serializer, message)
}

/// REGISTERED, with the id of [`invocation`].
pub fn registered(serializer: &AnySerializer, request: RequestId) -> Frame {
    let registration = RegistrationId::MIN;
    let message = Registered {
        request,
        registration,
    };
    encode(serializer, message)
}

/// CALL of [`PROCEDURE`].
pub fn call(serializer: &AnySerializer, request: RequestId) -> Frame {
    encode(serializer, call_message(serializer, request)?)
}

/// The same before it is encoded.
pub fn call_message(
    serializer: &AnySerializer,
    request: RequestId,
) -> Result<Message, Box<dyn Error>> {
    let call = Call {
        request,
        options: CallOptions::new(),
        procedure: Uri::new(PROCEDURE)?,
        payload: arguments(serializer)?,
    };
    Ok(call.into())
}

/// An INVOCATION.
pub fn invocation(serializer: &AnySerializer, request: RequestId) -> Frame {
    let message = Invocation {
        request,
        registration: RegistrationId::MIN,
        details: InvocationDetails::new(),
        payload: arguments(serializer)?,
    };
    encode(serializer, message)
}

/// The YIELD that answers it.
pub fn answer(serializer: &AnySerializer, request: RequestId) -> Frame {
    let message = Yield {
        request,
        options: YieldOptions::new(),
        payload: arguments(serializer)?,
    };
    encode(serializer, message)
}

/// A RESULT.
pub fn result(serializer: &AnySerializer, request: RequestId) -> Frame {
    let message = ResultMessage {
        request,
        details: ResultDetails::new(),
        payload: arguments(serializer)?,
    };
    encode(serializer, message)
}

fn arguments(serializer: &AnySerializer) -> Result<Payload, Box<dyn Error>> {
    let format = serializer.format();
    Ok(payload::encode(format, &(7, TEXT), None::<&()>)?)
}

fn encode(serializer: &AnySerializer, message: impl Into<Message>) -> Frame {
    let mut frame = BytesMut::new();
    serializer.encode(&message.into(), &mut frame)?;
    Ok(frame.freeze())
}
