use serde::Deserialize;
use spell_message::{Payload, options::ResultDetails};
use spell_serializer::DecodeError;

use crate::passthru::{Opened, Passthru};

/// What a call gave. Its arguments are decoded when they are asked for.
///
/// WAMP spec, "RESULT".
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult {
    details: ResultDetails,
    payload: Opened,
}

impl CallResult {
    pub(super) fn new(details: ResultDetails, payload: Payload) -> Self {
        Self {
            details,
            payload: payload.into(),
        }
    }

    /// Open it, if it is sealed and there is a codec for it.
    pub(super) fn open(mut self, codec: Option<&Passthru>) -> Self {
        self.payload.open(self.details.as_dict(), codec);
        self
    }

    /// Whether others follow: it is a progressive result, and not the last. Only
    /// [`CallResults`](super::CallResults) has such.
    ///
    /// WAMP spec, "Progressive Call Results".
    pub fn is_progress(&self) -> bool {
        self.details.progress() == Some(true)
    }

    /// The positional results, as a tuple, a list, or a struct read in order.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if they are not of this type.
    pub fn args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.payload.parse_args()
    }

    /// The only positional result.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Args`] if it is not of this type, or not the only one.
    pub fn value<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.args().map(|(value,)| value)
    }

    /// The keyword results, as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Kwargs`] if they are not of this type.
    pub fn kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.payload.parse_kwargs()
    }

    /// What the router added; often nothing.
    pub fn details(&self) -> &ResultDetails {
        &self.details
    }

    /// The results, undecoded. Sealed ones that were not opened are as they came, and
    /// [`details`](Self::details) tell how they are sealed: `ppt_scheme` and what goes with it.
    pub fn payload(&self) -> &Payload {
        self.payload.payload()
    }

    /// Take the results out, undecoded.
    pub fn into_payload(self) -> Payload {
        self.payload.into_payload()
    }
}
