use serde::Deserialize;
use spell_message::{Dict, Payload};
use spell_serializer::{DecodeError, PayloadExt};

use super::{Passthru, PassthruAttributes, PassthruError};

/// The payload of a message that came: opened, if it was sealed and there is a codec for it.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    payload: Payload,
    /// Why the payload is still as it came.
    problem: Option<Box<PassthruError>>,
}

impl Opened {
    /// Open the payload of a message with these details, if there is a codec.
    pub(crate) fn open(&mut self, details: &Dict, codec: Option<&Passthru>) {
        match codec.map(|codec| super::open(&**codec, details, &self.payload)) {
            None => {}
            Some(Ok(opened)) => self.payload = opened,
            Some(Err(problem)) => self.problem = Some(problem.into()),
        }
    }

    /// Open the payload of an ERROR with these details, which need not be sealed, as routers send
    /// errors of their own.
    pub(crate) fn open_error(&mut self, details: &Dict, codec: Option<&Passthru>) {
        if PassthruAttributes::from_dict(details).is_some() {
            self.open(details, codec);
        }
    }

    pub(crate) fn payload(&self) -> &Payload {
        &self.payload
    }

    pub(crate) fn into_payload(self) -> Payload {
        self.payload
    }

    pub(crate) fn parse_args<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.check()?;
        self.payload.parse_args()
    }

    pub(crate) fn parse_kwargs<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        self.check()?;
        self.payload.parse_kwargs()
    }

    fn check(&self) -> Result<(), DecodeError> {
        match &self.problem {
            None => Ok(()),
            Some(problem) => Err(DecodeError::Sealed {
                source: PassthruError::clone(problem).into(),
            }),
        }
    }
}

impl From<Payload> for Opened {
    fn from(payload: Payload) -> Self {
        Self {
            payload,
            problem: None,
        }
    }
}

impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        self.payload == other.payload && self.problem.is_none() == other.problem.is_none()
    }
}
