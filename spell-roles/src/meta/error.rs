use std::{error::Error, fmt, sync::Arc};

use spell_message::{InvalidUri, Uri, ValueError};
use spell_peer::Delivery;
use spell_serializer::DecodeError;

use crate::CallError;

/// Why a call of a meta procedure gave no result.
///
/// `Display` prints one level; [`source`](Error::source) gives the cause.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MetaError {
    /// The call failed: the router refused it, has no session, did not announce the API, and more.
    Call(CallError),
    /// The call gave a result that the specification does not know for this procedure.
    Result(MetaDecodeError),
    /// A topic or a reason is no URI. Nothing was sent.
    Uri(InvalidUri),
    /// The arguments of a testament could not be encoded. Nothing was sent.
    Encode(ValueError),
}

impl MetaError {
    /// The URI of the ERROR that answered the call; `None` if it failed otherwise.
    pub fn uri(&self) -> Option<&Uri> {
        match self {
            Self::Call(error) => error.uri(),
            _ => None,
        }
    }

    /// What became of the call; `None` if it was answered.
    pub fn delivery(&self) -> Option<Delivery> {
        match self {
            Self::Call(error) => error.delivery(),
            Self::Result(_) => None,
            Self::Uri(_) | Self::Encode(_) => Some(Delivery::NotSent),
        }
    }
}

impl fmt::Display for MetaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(_) => f.write_str("the call of the meta procedure failed"),
            Self::Result(_) => f.write_str("the meta procedure gave no result that is known"),
            Self::Uri(_) => f.write_str("an argument of the meta procedure is no URI"),
            Self::Encode(_) => f.write_str("the arguments of the testament could not be encoded"),
        }
    }
}

impl Error for MetaError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Call(error) => Some(error),
            Self::Result(error) => Some(error),
            Self::Uri(error) => Some(error),
            Self::Encode(error) => Some(error),
        }
    }
}

impl From<CallError> for MetaError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<MetaDecodeError> for MetaError {
    fn from(error: MetaDecodeError) -> Self {
        Self::Result(error)
    }
}

/// What a meta procedure gave, or a meta topic told, is not what the specification says.
///
/// Concerns this one result or event: the session and the subscription go on.
#[derive(Clone, Debug)]
pub struct MetaDecodeError {
    uri: &'static str,
    problem: Problem,
}

#[derive(Clone, Debug)]
enum Problem {
    Undecodable(Arc<DecodeError>),
    Missing(&'static str),
    Wrong {
        field: &'static str,
        expected: &'static str,
    },
}

impl MetaDecodeError {
    pub(super) fn undecodable(uri: &'static str, error: DecodeError) -> Self {
        let problem = Problem::Undecodable(Arc::new(error));
        Self { uri, problem }
    }

    pub(super) fn missing(uri: &'static str, field: &'static str) -> Self {
        let problem = Problem::Missing(field);
        Self { uri, problem }
    }

    pub(super) fn wrong(uri: &'static str, field: &'static str, expected: &'static str) -> Self {
        let problem = Problem::Wrong { field, expected };
        Self { uri, problem }
    }

    /// The procedure or the topic.
    pub fn uri(&self) -> &'static str {
        self.uri
    }

    /// What is missing or wrong, by its name in the specification; `None` if there was nothing to
    /// look for it in.
    pub fn field(&self) -> Option<&'static str> {
        match self.problem {
            Problem::Undecodable(_) => None,
            Problem::Missing(field) | Problem::Wrong { field, .. } => Some(field),
        }
    }
}

impl fmt::Display for MetaDecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.uri;
        match &self.problem {
            Problem::Undecodable(_) => write!(f, "{uri}: the arguments cannot be decoded"),
            Problem::Missing(field) => write!(f, "{uri}: `{field}` is missing"),
            Problem::Wrong { field, expected } => write!(f, "{uri}: `{field}` must be {expected}"),
        }
    }
}

impl Error for MetaDecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Undecodable(error) => Some(&**error),
            _ => None,
        }
    }
}
