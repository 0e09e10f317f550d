use std::borrow::Cow;

use spell_message::{Dict, Payload, message::Kind};

use super::bare::Bare;
use crate::{
    DecodeError,
    error::{Place, Source},
};

/// The elements of a message after its code.
pub(crate) trait Elements {
    type Element: Element;

    /// The next of those before the arguments; `None` at the end of the message.
    fn next(&mut self) -> Result<Option<Self::Element>, Failed>;
    /// The arguments, which are all that is left.
    fn payload(&mut self, bare: Bare) -> Result<Payload, Failed>;
}

/// Boxed, so that results fit into registers.
pub(crate) type Failed = Box<DecodeError>;

/// One element of a message, in whatever form.
pub(crate) trait Element {
    /// What it is.
    fn shape(&self) -> Shape;
    /// The integer, if it is one that is not negative.
    fn integer(&self) -> Option<u64>;
    /// The text, if it is one.
    fn text(&self) -> Option<Cow<'_, str>>;
    /// The dictionary; an error without a source if it is none, with one if it cannot be read.
    fn dict(&self) -> Result<Dict, Option<Source>>;

    /// Whether it is positional arguments, and not null, which stands for none.
    fn is_args(&self, kind: Kind) -> Result<bool, DecodeError> {
        is_or_null(self.shape(), Shape::List, kind, "Arguments")
    }

    /// Whether it is keyword arguments, and not null, which stands for none.
    fn is_kwargs(&self, kind: Kind) -> Result<bool, DecodeError> {
        is_or_null(self.shape(), Shape::Dict, kind, "ArgumentsKw")
    }
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
    /// What only one format knows, such as a tag.
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
            Self::Other => "something else",
        }
    }
}

fn is_or_null(
    found: Shape,
    wanted: Shape,
    kind: Kind,
    field: &'static str,
) -> Result<bool, DecodeError> {
    match found {
        Shape::Null => Ok(false),
        found if found == wanted => Ok(true),
        found => Err(DecodeError::Field {
            place: Place::new(kind, field, None).into(),
            expected: match (wanted, found) {
                (Shape::List, Shape::Bytes | Shape::Text) => {
                    "a list, or one binary with a known `enc_algo`"
                }
                _ => wanted.name(),
            },
            found: found.name(),
        }),
    }
}
