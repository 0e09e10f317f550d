use std::{borrow::Cow, error::Error};

use spell_message::{
    Dict, InvalidId, InvalidUri, Message, Pattern, Payload, RequestId, Uri,
    message::{
        Abort, Authenticate, Call, Cancel, Challenge, ErrorMessage, Event, EventReceived, Goodbye,
        Hello, Interrupt, Invocation, Kind, Publish, Published, Register, Registered, RequestKind,
        ResultMessage, Subscribe, Subscribed, Unregister, Unregistered, Unsubscribe, Unsubscribed,
        Welcome, Yield,
    },
    options::{
        AbortDetails, CallOptions, CancelOptions, ErrorDetails, EventDetails, GoodbyeDetails,
        HelloDetails, InterruptOptions, InvalidOption, InvocationDetails, PublishOptions,
        RegisterOptions, ResultDetails, SubscribeOptions, UnregisteredDetails, UnsubscribedDetails,
        WelcomeDetails, YieldOptions,
    },
};

use crate::{DecodeError, error::Place};

/// One element of a message, in whatever form.
pub(crate) trait Element {
    /// What it is.
    fn shape(&self) -> Shape;
    /// The integer, if it is one that is not negative.
    fn integer(&self) -> Option<u64>;
    /// The text, if it is one.
    fn text(&self) -> Option<Cow<'_, str>>;
    /// The dictionary, if it is one.
    fn dict(&self) -> Result<Dict, DictError>;

    /// Whether it is positional arguments, and not null, which stands for none.
    fn is_args(&self, kind: Kind) -> Result<bool, DecodeError> {
        self.is_shape(Shape::List, kind, "Arguments")
    }

    /// Whether it is keyword arguments, and not null, which stands for none.
    fn is_kwargs(&self, kind: Kind) -> Result<bool, DecodeError> {
        self.is_shape(Shape::Dict, kind, "ArgumentsKw")
    }

    #[doc(hidden)]
    fn is_shape(
        &self,
        wanted: Shape,
        kind: Kind,
        field: &'static str,
    ) -> Result<bool, DecodeError> {
        match self.shape() {
            Shape::Null => Ok(false),
            found if found == wanted => Ok(true),
            found => Err(DecodeError::Field {
                place: Place::new(kind, field, None).into(),
                expected: wanted.name(),
                found: found.name(),
            }),
        }
    }
}

/// Why an element is no dictionary.
pub(crate) enum DictError {
    NotADict,
    Malformed(Box<dyn Error + Send + Sync>),
}

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Null,
    Bool,
    Integer,
    Negative,
    Float,
    Text,
    Bytes,
    List,
    Dict,
    /// What only one format knows: an extension type, a tag.
    Extension,
    Other,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Negative => "a negative integer",
            Self::Float => "a float",
            Self::Text => "a string",
            Self::Bytes => "bytes",
            Self::List => "a list",
            Self::Dict => "a dictionary",
            Self::Extension => "an extension",
            Self::Other => "something else",
        }
    }
}

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

/// Makes a message of the elements between its code and its arguments.
///
/// Their number must be right. They are checked in their order, so that an error in a URI is only
/// reported when all that stands before it is in order.
pub(crate) fn read<E: Element>(
    kind: Kind,
    elements: &[E],
    payload: Payload,
) -> Result<Message, DecodeError> {
    let mut fields = Fields {
        kind,
        length: elements.len().saturating_add(1),
        elements: elements.iter(),
        request: None,
    };
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
        Kind::Abort => Abort {
            details: fields.options("Details", AbortDetails::from_dict)?,
            reason: fields.uri("Reason")?,
            payload,
        }
        .into(),
        Kind::Challenge => Challenge {
            method: fields.text("AuthMethod")?.into_owned(),
            extra: fields.dict("Extra")?,
        }
        .into(),
        Kind::Authenticate => Authenticate {
            signature: fields.text("Signature")?.into_owned(),
            extra: fields.dict("Extra")?,
        }
        .into(),
        Kind::Goodbye => Goodbye {
            details: fields.options("Details", GoodbyeDetails::from_dict)?,
            reason: fields.uri("Reason")?,
        }
        .into(),
        Kind::Error => ErrorMessage {
            request_kind: fields.request_kind("REQUEST.Type")?,
            request: fields.request("REQUEST.Request")?,
            details: fields.options("Details", ErrorDetails::from_dict)?,
            error: fields.uri("Error")?,
            payload,
        }
        .into(),
        Kind::Publish => publish(&mut fields, payload)?,
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
        Kind::Unsubscribed if fields.is_revocation("UNSUBSCRIBE.Request")? => {
            let details = fields.options("Details", UnsubscribedDetails::from_dict)?;
            Unsubscribed::Revocation { details }.into()
        }
        Kind::Unsubscribed => Unsubscribed::Reply {
            request: fields.request("UNSUBSCRIBE.Request")?,
        }
        .into(),
        Kind::Event => Event {
            subscription: fields.id("SUBSCRIBED.Subscription")?,
            publication: fields.id("PUBLISHED.Publication")?,
            details: fields.options("Details", EventDetails::from_dict)?,
            payload,
        }
        .into(),
        Kind::EventReceived => EventReceived {
            publication: fields.id("EVENT.Publication")?,
        }
        .into(),
        Kind::Call => Call {
            request: fields.request("Request")?,
            options: fields.options("Options", CallOptions::from_dict)?,
            procedure: fields.uri("Procedure")?,
            payload,
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
            payload,
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
        Kind::Unregistered if fields.is_revocation("UNREGISTER.Request")? => {
            let details = fields.options("Details", UnregisteredDetails::from_dict)?;
            Unregistered::Revocation { details }.into()
        }
        Kind::Unregistered => Unregistered::Reply {
            request: fields.request("UNREGISTER.Request")?,
        }
        .into(),
        Kind::Invocation => Invocation {
            request: fields.request("Request")?,
            registration: fields.id("REGISTERED.Registration")?,
            details: fields.options("Details", InvocationDetails::from_dict)?,
            payload,
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
            payload,
        }
        .into(),
        // A kind that a later version of the messages may add.
        other => {
            return Err(DecodeError::Length {
                kind: other,
                length: fields.length,
            });
        }
    })
}

fn publish<E: Element>(
    fields: &mut Fields<'_, E>,
    payload: Payload,
) -> Result<Message, DecodeError> {
    let request = fields.request("Request")?;
    let options = fields.options("Options", PublishOptions::from_dict)?;
    let topic = fields.uri("Topic").map_err(|error| match error {
        DecodeError::Uri { place, source } if options.acknowledge() != Some(true) => {
            DecodeError::Uri {
                place: place.unanswered().into(),
                source,
            }
        }
        other => other,
    })?;
    Ok(Publish {
        request,
        options,
        topic,
        payload,
    }
    .into())
}

/// The elements of a message, read one after the other.
struct Fields<'a, E> {
    kind: Kind,
    length: usize,
    elements: std::slice::Iter<'a, E>,
    request: Option<RequestId>,
}

impl<'a, E: Element> Fields<'a, E> {
    fn next(&mut self) -> Result<&'a E, DecodeError> {
        self.elements.next().ok_or(DecodeError::Length {
            kind: self.kind,
            length: self.length,
        })
    }

    fn place(&self, field: &'static str) -> Box<Place> {
        Place::new(self.kind, field, self.request).into()
    }

    fn wrong(&self, field: &'static str, expected: &'static str, element: &E) -> DecodeError {
        DecodeError::Field {
            place: self.place(field),
            expected,
            found: element.shape().name(),
        }
    }

    fn integer(&mut self, field: &'static str, expected: &'static str) -> Result<u64, DecodeError> {
        let element = self.next()?;
        element
            .integer()
            .ok_or_else(|| self.wrong(field, expected, element))
    }

    fn id<T: TryFrom<u64, Error = InvalidId>>(
        &mut self,
        field: &'static str,
    ) -> Result<T, DecodeError> {
        let number = self.integer(field, "an id, an integer from 1 to 2^53")?;
        T::try_from(number).map_err(|source| DecodeError::Id {
            place: self.place(field),
            source,
        })
    }

    fn request(&mut self, field: &'static str) -> Result<RequestId, DecodeError> {
        let request = self.id(field)?;
        self.request = Some(request);
        Ok(request)
    }

    fn request_kind(&mut self, field: &'static str) -> Result<RequestKind, DecodeError> {
        const EXPECTED: &str = "the code of a request (16, 32, 34, 48, 64, 66 or 68)";
        let code = self.integer(field, EXPECTED)?;
        RequestKind::from_code(code).ok_or_else(|| DecodeError::Field {
            place: self.place(field),
            expected: EXPECTED,
            found: "another integer",
        })
    }

    /// Whether the message has the form of a revocation, whose request id is then read: 0.
    fn is_revocation(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        const EXPECTED: &str = "0 where details follow";
        if self.elements.len() == 1 {
            return Ok(false);
        }
        match self.integer(field, EXPECTED)? {
            0 => Ok(true),
            _ => Err(DecodeError::Field {
                place: self.place(field),
                expected: EXPECTED,
                found: "another integer",
            }),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<Cow<'a, str>, DecodeError> {
        let element = self.next()?;
        element
            .text()
            .ok_or_else(|| self.wrong(field, "a string", element))
    }

    fn named<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&str) -> Result<T, InvalidUri>,
    ) -> Result<T, DecodeError> {
        let text = self.text(field)?;
        parse(&text).map_err(|source| DecodeError::Uri {
            place: self.place(field),
            source: source.into(),
        })
    }

    fn uri(&mut self, field: &'static str) -> Result<Uri, DecodeError> {
        self.named(field, |text| Uri::new(text))
    }

    fn dict(&mut self, field: &'static str) -> Result<Dict, DecodeError> {
        let element = self.next()?;
        element.dict().map_err(|error| match error {
            DictError::NotADict => self.wrong(field, "a dictionary", element),
            DictError::Malformed(source) => DecodeError::Dict {
                place: self.place(field),
                source,
            },
        })
    }

    fn options<T>(
        &mut self,
        field: &'static str,
        from_dict: impl FnOnce(Dict) -> Result<T, InvalidOption>,
    ) -> Result<T, DecodeError> {
        from_dict(self.dict(field)?).map_err(|source| DecodeError::Option {
            place: self.place(field),
            source: source.into(),
        })
    }
}
