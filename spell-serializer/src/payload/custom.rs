//! Formats that this crate does not know: they go by way of a [`Value`].

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use spell_message::{CustomFormat, Dict, Format, List, Payload, Value, to_value};

use crate::{EncodeError, error::Source, list::Element};

pub(super) fn parse<'a, T: Deserialize<'a>>(
    format: &dyn CustomFormat,
    bytes: &'a [u8],
) -> Result<T, Source> {
    Ok(T::deserialize(format.decode(bytes)?)?)
}

pub(super) fn encode<A, K>(
    format: &'static dyn CustomFormat,
    args: &A,
    kwargs: Option<&K>,
) -> Result<Payload, EncodeError>
where
    A: Serialize + ?Sized,
    K: Serialize + ?Sized,
{
    let mut values = Values::default();
    values.set_args(format.name(), args)?;
    if let Some(kwargs) = kwargs {
        values.set_kwargs(format.name(), kwargs)?;
    }
    values.finish(format)
}

/// Arguments under way.
#[derive(Debug, Default)]
pub(super) struct Values {
    args: List,
    kwargs: Dict,
}

impl Values {
    pub(super) fn set_args<T: Serialize + ?Sized>(
        &mut self,
        format: &'static str,
        args: &T,
    ) -> Result<(), EncodeError> {
        self.args = match value(format, args)? {
            Value::List(args) => args,
            Value::Null => List::new(),
            other => {
                return Err(EncodeError::ArgsNotAList {
                    found: other.shape().name(),
                });
            }
        };
        Ok(())
    }

    pub(super) fn set_kwargs<T: Serialize + ?Sized>(
        &mut self,
        format: &'static str,
        kwargs: &T,
    ) -> Result<(), EncodeError> {
        self.kwargs = match value(format, kwargs)? {
            Value::Dict(kwargs) => kwargs,
            Value::Null => Dict::new(),
            other => {
                return Err(EncodeError::KwargsNotADict {
                    found: other.shape().name(),
                });
            }
        };
        Ok(())
    }

    pub(super) fn push_arg<T: Serialize + ?Sized>(
        &mut self,
        format: &'static str,
        arg: &T,
    ) -> Result<(), EncodeError> {
        self.args.push(value(format, arg)?);
        Ok(())
    }

    pub(super) fn push_kwarg<T: Serialize + ?Sized>(
        &mut self,
        format: &'static str,
        name: &str,
        kwarg: &T,
    ) -> Result<(), EncodeError> {
        match self.kwargs.insert(name, value(format, kwarg)?) {
            None => Ok(()),
            Some(_) => Err(EncodeError::DuplicateKwarg { name: name.into() }),
        }
    }

    pub(super) fn finish(self, format: &'static dyn CustomFormat) -> Result<Payload, EncodeError> {
        if self.args.is_empty() && self.kwargs.is_empty() {
            return Ok(Payload::default());
        }
        let encode = |value: Value| {
            format.encode(&value).map_err(|source| EncodeError::Value {
                format: format.name(),
                source,
            })
        };
        // WAMP spec, "Application Payloads": keyword arguments need a list before them.
        let mut tail = BytesMut::from(encode(self.args.into())?);
        let args_end = tail.len();
        if !self.kwargs.is_empty() {
            tail.extend_from_slice(&encode(self.kwargs.into())?);
        }
        Ok(Payload::encoded(
            Format::Custom(format),
            tail.freeze(),
            args_end,
            args_end,
        ))
    }
}

fn value<T: Serialize + ?Sized>(format: &'static str, value: &T) -> Result<Value, EncodeError> {
    to_value(value).map_err(|source| EncodeError::Value {
        format,
        source: source.into(),
    })
}
