use serde::Serialize;
use spell_message::{Format, Payload};

#[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
use super::parts::Parts;
use super::{custom, format::by_format};
use crate::EncodeError;

/// Builds arguments, all at once or one by one.
///
/// Values are encoded as they are given. The first error is kept, and [`finish`](Self::finish)
/// gives it.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use spell_message::Format;
/// use spell_serializer::PayloadBuilder;
///
/// let payload = PayloadBuilder::new(Format::Json)
///     .args(&("Ada", 1815))
///     .arg(&true)
///     .kwarg("city", &"London")
///     .finish()?;
/// assert_eq!(payload.tail(), r#"["Ada",1815,true],{"city":"London"}"#);
/// # }
/// # Ok::<(), spell_serializer::EncodeError>(())
/// ```
#[derive(Debug)]
#[must_use = "the arguments are in what `finish` returns"]
pub struct PayloadBuilder {
    format: Format,
    #[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
    parts: Parts,
    /// The arguments so far, in a format of the user. Boxed, as a builder is moved with each of its
    /// steps, and few have any.
    values: Option<Box<custom::Values>>,
    error: Option<Box<EncodeError>>,
}

impl PayloadBuilder {
    /// No arguments, to be encoded in this format.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            #[cfg(any(feature = "json", feature = "msgpack", feature = "cbor"))]
            parts: Parts::default(),
            values: None,
            error: None,
        }
    }

    /// Sets all positional arguments: a list (a tuple, a slice, a `Vec`), or `()` for none.
    pub fn args<T: Serialize + ?Sized>(self, args: &T) -> Self {
        self.then(|this| {
            by_format!(
                this.format,
                C => this.parts.set_args::<C, T>(args),
                custom format => this.values.get_or_insert_default().set_args(format.name(), args),
                unsupported format => Err(EncodeError::Unsupported { format }),
            )
        })
    }

    /// Appends one positional argument.
    pub fn arg<T: Serialize + ?Sized>(self, arg: &T) -> Self {
        self.then(|this| {
            by_format!(
                this.format,
                C => this.parts.push_arg::<C, T>(arg),
                custom format => this.values.get_or_insert_default().push_arg(format.name(), arg),
                unsupported format => Err(EncodeError::Unsupported { format }),
            )
        })
    }

    /// Sets all keyword arguments: a dictionary (a struct, a map), or `()` for none.
    pub fn kwargs<T: Serialize + ?Sized>(self, kwargs: &T) -> Self {
        self.then(|this| {
            by_format!(
                this.format,
                C => this.parts.set_kwargs::<C, T>(kwargs),
                custom format => this.values.get_or_insert_default().set_kwargs(format.name(), kwargs),
                unsupported format => Err(EncodeError::Unsupported { format }),
            )
        })
    }

    /// Appends one keyword argument, whose name must be a new one.
    pub fn kwarg<T: Serialize + ?Sized>(self, name: &str, kwarg: &T) -> Self {
        self.then(|this| {
            by_format!(
                this.format,
                C => this.parts.push_kwarg::<C, T>(name, kwarg),
                custom format => this.values.get_or_insert_default().push_kwarg(format.name(), name, kwarg),
                unsupported format => Err(EncodeError::Unsupported { format }),
            )
        })
    }

    /// The arguments. Empty ones count as none.
    ///
    /// # Errors
    ///
    /// The first [`EncodeError`] of any of the steps.
    pub fn finish(self) -> Result<Payload, EncodeError> {
        if let Some(error) = self.error {
            return Err(*error);
        }
        by_format!(
            self.format,
            C => Ok(self.parts.finish::<C>()),
            custom format => self.values.unwrap_or_default().finish(format),
            unsupported format => Err(EncodeError::Unsupported { format }),
        )
    }

    /// Takes a step unless one before it failed.
    fn then(mut self, step: impl FnOnce(&mut Self) -> Result<(), EncodeError>) -> Self {
        if self.error.is_none() {
            self.error = step(&mut self).err().map(Box::new);
        }
        self
    }
}
