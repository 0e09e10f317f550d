//! What becomes a [`Value`] by `into()`.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Dict, Value};
use crate::{PublicationId, RegistrationId, RequestId, SessionId, SubscriptionId, Uri, ValueError};

macro_rules! from_unsigned {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Self::Unsigned(value.into())
            }
        }
    )*};
}

macro_rules! from_signed {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                let value = i64::from(value);
                u64::try_from(value).map_or(Self::Signed(value), Self::Unsigned)
            }
        }
    )*};
}

from_unsigned!(
    u8,
    u16,
    u32,
    u64,
    SessionId,
    PublicationId,
    SubscriptionId,
    RegistrationId,
    RequestId
);
from_signed!(i8, i16, i32, i64);

#[expect(
    clippy::as_conversions,
    reason = "no platform has a usize of more than 64 bits"
)]
impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Unsigned(value as u64)
    }
}

#[expect(
    clippy::as_conversions,
    reason = "no platform has an isize of more than 64 bits"
)]
impl From<isize> for Value {
    fn from(value: isize) -> Self {
        Self::from(value as i64)
    }
}

impl TryFrom<i128> for Value {
    type Error = ValueError;

    /// # Errors
    ///
    /// [`ValueError::IntegerOutOfRange`] below the smallest `i64` and above the largest `u64`.
    fn try_from(value: i128) -> Result<Self, ValueError> {
        u64::try_from(value)
            .map(Self::Unsigned)
            .or_else(|_| i64::try_from(value).map(Self::Signed))
            .map_err(|_| ValueError::IntegerOutOfRange)
    }
}

impl TryFrom<u128> for Value {
    type Error = ValueError;

    /// # Errors
    ///
    /// [`ValueError::IntegerOutOfRange`] above the largest `u64`.
    fn try_from(value: u128) -> Result<Self, ValueError> {
        u64::try_from(value)
            .map(Self::Unsigned)
            .map_err(|_| ValueError::IntegerOutOfRange)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Self {
        Self::Float(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(value: Cow<'_, str>) -> Self {
        Self::String(value.into_owned())
    }
}

impl From<Uri> for Value {
    fn from(value: Uri) -> Self {
        Self::from(value.as_str())
    }
}

impl From<&Uri> for Value {
    fn from(value: &Uri) -> Self {
        Self::from(value.as_str())
    }
}

impl From<Bytes> for Value {
    fn from(value: Bytes) -> Self {
        Self::Bytes(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        values.into_iter().collect()
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        values.into_iter().collect()
    }
}

impl<T: Into<Self>> FromIterator<T> for Value {
    /// A list.
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<Dict> for Value {
    fn from(value: Dict) -> Self {
        Self::Dict(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
