use spell_message::{
    Message, Pattern,
    message::{
        Abort, Authenticate, Call, Cancel, Challenge, ErrorMessage, Event, EventReceived, Goodbye,
        Hello, Interrupt, Invocation, Kind, Publish, Published, Register, Registered,
        ResultMessage, Subscribe, Subscribed, Unregister, Unregistered, Unsubscribe, Unsubscribed,
        Welcome, Yield,
    },
    options::{
        AbortDetails, CallOptions, CancelOptions, ErrorDetails, EventDetails, GoodbyeDetails,
        HelloDetails, InterruptOptions, InvocationDetails, PublishOptions, RegisterOptions,
        ResultDetails, SubscribeOptions, UnregisteredDetails, UnsubscribedDetails, WelcomeDetails,
        YieldOptions,
    },
};

use super::{
    element::{Elements, Failed},
    fields::Fields,
};
use crate::DecodeError;

/// Checks how many elements a message has, its code included.
pub(crate) fn check_length(kind: Kind, length: usize) -> Result<(), DecodeError> {
    if kind.lengths().contains(&length) {
        Ok(())
    } else {
        Err(DecodeError::Length { kind, length })
    }
}

/// How many of the elements after the code, of which there are `length`, stand before the
/// arguments.
pub(crate) fn envelope(kind: Kind, length: usize) -> usize {
    match kind {
        // The details of a revocation are no arguments.
        Kind::Unsubscribed | Kind::Unregistered => length,
        _ => kind.lengths().start().saturating_sub(1),
    }
}

/// Makes a message of the elements after its code.
///
/// They are checked in their order, so that an error in a URI is only reported when all that stands
/// before it is in order.
pub(crate) fn read<S: Elements>(kind: Kind, elements: S) -> Result<Message, Failed> {
    let mut fields = Fields::new(kind, elements);
    let message = match kind {
        Kind::Hello
        | Kind::Welcome
        | Kind::Abort
        | Kind::Challenge
        | Kind::Authenticate
        | Kind::Goodbye
        | Kind::Error => session(&mut fields),
        Kind::Publish
        | Kind::Published
        | Kind::Subscribe
        | Kind::Subscribed
        | Kind::Unsubscribe
        | Kind::Unsubscribed
        | Kind::Event
        | Kind::EventReceived => pubsub(&mut fields),
        _ => rpc(&mut fields),
    }?;
    fields.end()?;
    Ok(message)
}

fn session<S: Elements>(fields: &mut Fields<S>) -> Result<Message, Failed> {
    let kind = fields.kind();
    Ok(match kind {
        Kind::Hello => Hello {
            realm: fields.uri("Realm")?,
            details: fields.options("Details", HelloDetails::from_dict)?,
        }
        .into(),
        Kind::Welcome => Welcome {
            session: fields.id("Session")?,
            details: fields.options("Details", WelcomeDetails::from_dict)?,
        }
        .into(),
        Kind::Abort => {
            let mut details = fields.options("Details", AbortDetails::from_dict)?;
            let (reason, message) = fields.reason(details.message())?;
            if let Some(message) = message {
                details.set_message(message);
            }
            Abort {
                details,
                reason,
                payload: fields.payload()?,
            }
            .into()
        }
        Kind::Challenge => Challenge {
            method: fields.owned_text("AuthMethod")?,
            extra: fields.dict("Extra")?,
        }
        .into(),
        Kind::Authenticate => Authenticate {
            signature: fields.owned_text("Signature")?,
            extra: fields.dict("Extra")?,
        }
        .into(),
        Kind::Goodbye => {
            let mut details = fields.options("Details", GoodbyeDetails::from_dict)?;
            let (reason, message) = fields.reason(details.message())?;
            if let Some(message) = message {
                details.set_message(message);
            }
            Goodbye { details, reason }.into()
        }
        Kind::Error => ErrorMessage {
            request_kind: fields.request_kind("REQUEST.Type")?,
            request: fields.request("REQUEST.Request")?,
            details: fields.options("Details", ErrorDetails::from_dict)?,
            error: fields.uri("Error")?,
            payload: fields.payload()?,
        }
        .into(),
        _ => return Err(fields.wrong_length().into()),
    })
}

fn pubsub<S: Elements>(fields: &mut Fields<S>) -> Result<Message, Failed> {
    let kind = fields.kind();
    Ok(match kind {
        Kind::Publish => publish(fields)?,
        Kind::Published => Published {
            request: fields.request("PUBLISH.Request")?,
            publication: fields.id("Publication")?,
        }
        .into(),
        Kind::Subscribe => {
            let request = fields.request("Request")?;
            let options = fields.options("Options", SubscribeOptions::from_dict)?;
            let policy = options.match_policy().unwrap_or_default();
            let topic = fields.named("Topic", |text| Pattern::new(text, policy))?;
            Subscribe {
                request,
                options,
                topic,
            }
            .into()
        }
        Kind::Subscribed => Subscribed {
            request: fields.request("SUBSCRIBE.Request")?,
            subscription: fields.id("Subscription")?,
        }
        .into(),
        Kind::Unsubscribe => Unsubscribe {
            request: fields.request("Request")?,
            subscription: fields.id("SUBSCRIBED.Subscription")?,
        }
        .into(),
        Kind::Unsubscribed => match fields
            .request_or_details("UNSUBSCRIBE.Request", UnsubscribedDetails::from_dict)?
        {
            Ok(request) => Unsubscribed::Reply { request },
            Err(details) => Unsubscribed::Revocation { details },
        }
        .into(),
        Kind::Event => Event {
            subscription: fields.id("SUBSCRIBED.Subscription")?,
            publication: fields.id("PUBLISHED.Publication")?,
            details: fields.options("Details", EventDetails::from_dict)?,
            payload: fields.payload()?,
        }
        .into(),
        Kind::EventReceived => EventReceived {
            publication: fields.id("EVENT.Publication")?,
        }
        .into(),
        _ => return Err(fields.wrong_length().into()),
    })
}

fn rpc<S: Elements>(fields: &mut Fields<S>) -> Result<Message, Failed> {
    let kind = fields.kind();
    Ok(match kind {
        Kind::Call => Call {
            request: fields.request("Request")?,
            options: fields.options("Options", CallOptions::from_dict)?,
            procedure: fields.uri("Procedure")?,
            payload: fields.payload()?,
        }
        .into(),
        Kind::Cancel => Cancel {
            request: fields.request("CALL.Request")?,
            options: fields.options("Options", CancelOptions::from_dict)?,
        }
        .into(),
        Kind::Result => ResultMessage {
            request: fields.request("CALL.Request")?,
            details: fields.options("Details", ResultDetails::from_dict)?,
            payload: fields.payload()?,
        }
        .into(),
        Kind::Register => {
            let request = fields.request("Request")?;
            let options = fields.options("Options", RegisterOptions::from_dict)?;
            let policy = options.match_policy().unwrap_or_default();
            let procedure = fields.named("Procedure", |text| Pattern::new(text, policy))?;
            Register {
                request,
                options,
                procedure,
            }
            .into()
        }
        Kind::Registered => Registered {
            request: fields.request("REGISTER.Request")?,
            registration: fields.id("Registration")?,
        }
        .into(),
        Kind::Unregister => Unregister {
            request: fields.request("Request")?,
            registration: fields.id("REGISTERED.Registration")?,
        }
        .into(),
        Kind::Unregistered => {
            match fields.request_or_details("UNREGISTER.Request", UnregisteredDetails::from_dict)? {
                Ok(request) => Unregistered::Reply { request },
                Err(details) => Unregistered::Revocation { details },
            }
            .into()
        }
        Kind::Invocation => Invocation {
            request: fields.request("Request")?,
            registration: fields.id("REGISTERED.Registration")?,
            details: fields.options("Details", InvocationDetails::from_dict)?,
            payload: fields.payload()?,
        }
        .into(),
        Kind::Interrupt => Interrupt {
            request: fields.request("INVOCATION.Request")?,
            options: fields.options("Options", InterruptOptions::from_dict)?,
        }
        .into(),
        Kind::Yield => Yield {
            request: fields.request("INVOCATION.Request")?,
            options: fields.options("Options", YieldOptions::from_dict)?,
            payload: fields.payload()?,
        }
        .into(),
        _ => return Err(fields.wrong_length().into()),
    })
}

fn publish<S: Elements>(fields: &mut Fields<S>) -> Result<Message, Failed> {
    let request = fields.request("Request")?;
    let options = fields.options("Options", PublishOptions::from_dict)?;
    let topic = fields.uri("Topic").map_err(|error| match *error {
        DecodeError::Uri { place, source } if options.acknowledge() != Some(true) => {
            let place = place.unanswered().into();
            Failed::new(DecodeError::Uri { place, source })
        }
        other => Failed::new(other),
    })?;
    Ok(Publish {
        request,
        options,
        topic,
        payload: fields.payload()?,
    }
    .into())
}
