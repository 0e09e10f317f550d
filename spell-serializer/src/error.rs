//! What can go wrong between a message and its bytes.

use std::{error::Error, fmt};

use spell_message::{
    InvalidId, InvalidUri, RequestId,
    message::{Kind, RequestKind},
    options::InvalidOption,
};

pub(crate) type Source = Box<dyn Error + Send + Sync>;

/// A message or a value could not be written.
///
/// Nothing was sent: the error concerns this one message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value cannot be written in this format: NaN in JSON, a key that is not text, too many
    /// levels, or whatever the type itself reported.
    #[error("the value cannot be written as {format}")]
    Value {
        /// The name of the format.
        format: &'static str,
        /// What is wrong with it.
        source: Source,
    },
    /// Positional arguments must be a list: a tuple, a slice, a `Vec`; `()` stands for none.
    #[error("positional arguments must be a list (a tuple, a slice, a Vec), not {found}")]
    ArgsNotAList {
        /// What they were instead.
        found: &'static str,
    },
    /// Keyword arguments must be a dictionary: a struct or a map; `()` stands for none.
    #[error("keyword arguments must be a dictionary (a struct, a map), not {found}")]
    KwargsNotADict {
        /// What they were instead.
        found: &'static str,
    },
    /// Two keyword arguments have the same name.
    #[error("the keyword argument {name:?} is given twice")]
    DuplicateKwarg {
        /// Their name.
        name: String,
    },
    /// The arguments of a message, which came in one format, cannot be written in another.
    #[error("the arguments cannot be carried over to {format}")]
    Transcode {
        /// The name of the format they should get.
        format: &'static str,
        /// What is wrong with them.
        source: Source,
    },
    /// The arguments could not be sealed.
    #[error("the arguments could not be sealed")]
    Sealed {
        /// Why.
        source: Source,
    },
    /// The format is not compiled in: its feature is off.
    #[error("the format {format} is not compiled in")]
    Unsupported {
        /// The name of the format.
        format: &'static str,
    },
}

/// A frame is no WAMP message, or arguments are not what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame is longer than [`Limits::max_size`](crate::Limits::max_size).
    #[error("the message has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Lists and dictionaries are nested deeper than
    /// [`Limits::max_depth`](crate::Limits::max_depth).
    #[error("the message is nested deeper than {limit} levels")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// There are more values than [`Limits::max_elements`](crate::Limits::max_elements).
    #[error("the message has more than {limit} values")]
    TooManyElements {
        /// The limit in values.
        limit: usize,
    },
    /// There are more values before the arguments than
    /// [`Limits::max_envelope_elements`](crate::Limits::max_envelope_elements).
    #[error("the message has more than {limit} values before its arguments")]
    EnvelopeTooLarge {
        /// The limit in values.
        limit: usize,
    },
    /// The bytes do not follow the rules of the format.
    #[error("the message is not valid {format}")]
    Malformed {
        /// The name of the format.
        format: &'static str,
        /// What is wrong, and where.
        source: Source,
    },
    /// Something follows the message.
    #[error("{count} bytes follow the message")]
    TrailingBytes {
        /// How many bytes.
        count: usize,
    },
    /// A message is a list, this is something else.
    #[error("a message must be a list, not {found}")]
    NotAList {
        /// What it is instead.
        found: &'static str,
    },
    /// The list has no elements.
    #[error("a message must not be an empty list")]
    Empty,
    /// The first element, the message code, is no integer that is not negative.
    #[error("a message must begin with its code, an integer that is not negative, not {found}")]
    Code {
        /// What it is instead.
        found: &'static str,
    },
    /// The message has too few or too many elements.
    #[error(
        "{kind} must have {} elements, not {length}",
        Lengths(*kind)
    )]
    Length {
        /// Which message.
        kind: Kind,
        /// How many elements it has, its code included.
        length: usize,
    },
    /// An element has a wrong type.
    #[error("{place} must be {expected}, not {found}")]
    Field {
        /// Which element.
        place: Box<Place>,
        /// What it must be.
        expected: &'static str,
        /// What it is instead.
        found: &'static str,
    },
    /// An element that is a dictionary has a key that is not text or comes twice, or a value that
    /// does not fit into 64 bits.
    #[error("{place} cannot be read")]
    Dict {
        /// Which element.
        place: Box<Place>,
        /// What is wrong with it.
        source: Source,
    },
    /// A number that is no id.
    #[error("{place} is not valid")]
    Id {
        /// Which element.
        place: Box<Place>,
        /// What is wrong with it.
        source: InvalidId,
    },
    /// A text that is no URI. Never the reason of an ABORT or GOODBYE, since the session is over all
    /// the same: it becomes `wamp.error.invalid_uri`, and the text goes into `Details.message`.
    #[error("{place} is not valid")]
    Uri {
        /// Which element.
        place: Box<Place>,
        /// What is wrong with it.
        source: Box<InvalidUri>,
    },
    /// A known option or detail has a wrong type or value.
    #[error("{place} are not valid")]
    Option {
        /// Which element.
        place: Box<Place>,
        /// What is wrong with it.
        source: Box<InvalidOption>,
    },
    /// Bytes are no packed arguments.
    ///
    /// WAMP spec, "Payload Passthru Mode".
    #[error("packed arguments {problem}")]
    Packed {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// The arguments are sealed, and could not be opened.
    #[error("the sealed arguments could not be opened")]
    Sealed {
        /// Why.
        source: Source,
    },
    /// The positional arguments are not of the type that was asked for.
    #[error("the positional arguments are not of the wanted type")]
    Args {
        /// What is wrong with them.
        source: Source,
    },
    /// The keyword arguments are not of the type that was asked for.
    #[error("the keyword arguments are not of the wanted type")]
    Kwargs {
        /// What is wrong with them.
        source: Source,
    },
    /// The format is not compiled in: its feature is off.
    #[error("the format {format} is not compiled in")]
    Unsupported {
        /// The name of the format.
        format: &'static str,
    },
}

impl DecodeError {
    /// The request to answer with ERROR `wamp.error.invalid_uri`, when a URI is all that is wrong
    /// with a request that has an answer.
    ///
    /// `None` for a PUBLISH that does not ask to be acknowledged, which has no answer, and for all
    /// other errors, which violate the protocol.
    ///
    /// WAMP spec, "URIs" and "Protocol Errors".
    pub fn reply(&self) -> Option<(RequestKind, RequestId)> {
        match self {
            Self::Uri { place, .. } if place.answered => {
                let kind = RequestKind::from_code(place.kind.code())?;
                Some((kind, place.request?))
            }
            _ => None,
        }
    }

    /// The id of the request, if the message is one and the error came after it.
    ///
    /// A router checks it against the sequence of ids all the same.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Self::Field { place, .. }
            | Self::Dict { place, .. }
            | Self::Id { place, .. }
            | Self::Uri { place, .. }
            | Self::Option { place, .. } => place.request,
            _ => None,
        }
    }

    /// The request that failed, when a malformed Error URI is all that is wrong with an ERROR: it
    /// has failed all the same.
    pub fn failed(&self) -> Option<(RequestKind, RequestId)> {
        match self {
            Self::Uri { place, .. } => Some((place.failed?, place.request?)),
            _ => None,
        }
    }

    /// Whether a malformed URI is all that is wrong.
    pub fn is_invalid_uri(&self) -> bool {
        matches!(self, Self::Uri { .. })
    }
}

/// An element of a message, such as `CALL.Procedure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    kind: Kind,
    field: &'static str,
    request: Option<RequestId>,
    failed: Option<RequestKind>,
    answered: bool,
}

impl Place {
    pub(crate) fn new(kind: Kind, field: &'static str, request: Option<RequestId>) -> Self {
        Self {
            kind,
            field,
            request,
            failed: None,
            answered: true,
        }
    }

    /// A place in an ERROR, and what kind of request it says has failed.
    pub(crate) fn with_failed(self, failed: Option<RequestKind>) -> Self {
        Self { failed, ..self }
    }

    /// A place in a request that is not answered.
    pub(crate) fn unanswered(self) -> Self {
        Self {
            answered: false,
            ..self
        }
    }

    /// Which message.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of the element, as the specification writes it.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.field)
    }
}

/// Shows how many elements a message may have.
struct Lengths(Kind);

impl fmt::Display for Lengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.0.lengths();
        match (lengths.start(), lengths.end()) {
            (least, most) if least == most => write!(f, "{least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}
