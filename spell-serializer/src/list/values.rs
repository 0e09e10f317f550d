use std::borrow::Cow;

use serde::Serialize;
use spell_message::{
    Dict, Format, List, Message, Payload, Value,
    message::{Kind, Unknown},
    to_value,
};

use super::{
    bare::Bare,
    element::{Element, Elements, Failed, Shape},
    read::{check_length, envelope, read},
    write::{Writer, write},
};
use crate::{DecodeError, EncodeError, PayloadBuilder, PayloadExt, error::Source};

/// The elements of a message, its code first and its arguments last.
///
/// # Errors
///
/// [`EncodeError::Transcode`] if the arguments cannot be decoded.
pub fn to_values(message: &Message) -> Result<List, EncodeError> {
    let mut list = ListWriter(List::new());
    write(message, &mut list)?;
    Ok(list.0)
}

/// The message with these elements; the arguments are encoded in this format.
///
/// # Errors
///
/// [`DecodeError`] if the elements are no message.
pub fn from_values(values: List, format: Format) -> Result<Message, DecodeError> {
    let mut values = values.into_iter();
    let code = values.next().ok_or(DecodeError::Empty)?;
    let code = code.as_u64().ok_or_else(|| DecodeError::Code {
        found: code.shape().name(),
    })?;
    let Some(kind) = Kind::from_code(code) else {
        let fields = values.collect();
        return Ok(Unknown { code, fields }.into());
    };
    check_length(kind, values.len().saturating_add(1))?;
    let envelope = envelope(kind, values.len());
    let elements: List = values.by_ref().take(envelope).collect();
    let payload = payload(kind, &elements, format, values)?;
    let elements = elements.into_iter();
    read(kind, ValueElements { elements, payload }).map_err(|error| *error)
}

fn payload(
    kind: Kind,
    elements: &[Value],
    format: Format,
    mut values: impl ExactSizeIterator<Item = Value>,
) -> Result<Payload, DecodeError> {
    let mut payload = PayloadBuilder::new(format);
    if let Some(args) = values.next() {
        if values.len() == 0 && Bare::among(kind, elements).allows(&args) {
            payload = payload.arg(&args);
        } else if args.is_args(kind)? {
            payload = payload.args(&args);
        }
    }
    if let Some(kwargs) = values.next()
        && kwargs.is_kwargs(kind)?
    {
        payload = payload.kwargs(&kwargs);
    }
    payload.finish().map_err(|error| DecodeError::Args {
        source: error.into(),
    })
}

/// The elements that stand before the arguments, and these.
struct ValueElements {
    elements: std::vec::IntoIter<Value>,
    payload: Payload,
}

impl Elements for ValueElements {
    type Element = Value;

    fn next(&mut self) -> Result<Option<Value>, Failed> {
        Ok(self.elements.next())
    }

    fn payload(&mut self, _bare: Bare) -> Result<Payload, Failed> {
        Ok(std::mem::take(&mut self.payload))
    }
}

impl Element for Value {
    fn shape(&self) -> Shape {
        match self {
            Self::Null => Shape::Null,
            Self::Bool(_) => Shape::Bool,
            Self::Signed(..0) => Shape::Negative,
            Self::Unsigned(_) | Self::Signed(_) => Shape::Integer,
            Self::Float(_) => Shape::Float,
            Self::String(_) => Shape::Text,
            Self::Bytes(_) => Shape::Bytes,
            Self::List(_) => Shape::List,
            Self::Dict(_) => Shape::Dict,
            _ => Shape::Other,
        }
    }

    fn integer(&self) -> Option<u64> {
        self.as_u64()
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        self.as_str().map(Cow::Borrowed)
    }

    fn dict(&self) -> Result<Dict, Option<Source>> {
        self.as_dict().cloned().ok_or(None)
    }
}

/// Writes the elements of a message into a list.
struct ListWriter(List);

impl Writer for ListWriter {
    fn prepare<'p>(&self, payload: &'p Payload) -> Result<Cow<'p, Payload>, EncodeError> {
        Ok(Cow::Borrowed(payload))
    }

    fn begin(&mut self, elements: usize, _payload: &Payload) {
        self.0.reserve(elements);
    }

    fn integer(&mut self, integer: u64) -> Result<(), EncodeError> {
        self.0.push(integer.into());
        Ok(())
    }

    fn dict(&mut self, dict: &Dict) -> Result<(), EncodeError> {
        self.0.push(dict.clone().into());
        Ok(())
    }

    fn element<T: Serialize + ?Sized>(&mut self, element: &T) -> Result<(), EncodeError> {
        let value = to_value(element).map_err(|source| EncodeError::Value {
            format: "a value",
            source: source.into(),
        })?;
        self.0.push(value);
        Ok(())
    }

    fn payload(&mut self, payload: &Payload) -> Result<(), EncodeError> {
        let transcode = |source: DecodeError| EncodeError::Transcode {
            format: "a value",
            source: source.into(),
        };
        if payload.is_absent() {
            return Ok(());
        }
        self.0
            .push(payload.parse_args::<Value>().map_err(transcode)?);
        if !payload.kwargs().is_empty() {
            self.0
                .push(payload.parse_kwargs::<Value>().map_err(transcode)?);
        }
        Ok(())
    }

    fn bare(&mut self, payload: &Payload) -> Result<bool, EncodeError> {
        let only = match payload.parse_args::<(Value,)>() {
            Ok((only,)) if payload.kwargs().is_empty() => only,
            _ => return Ok(false),
        };
        let is_bare = matches!(only.shape(), Shape::Bytes | Shape::Text);
        if is_bare {
            self.0.push(only);
        }
        Ok(is_bare)
    }

    fn end(&mut self) {}
}
