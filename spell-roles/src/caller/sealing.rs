use spell_message::{Payload, Uri, options::CallOptions};
use spell_peer::SendError;
use spell_serializer::{EncodeError, PayloadBuilder};

use super::{CallResult, role::Command};
use crate::{
    CallError,
    error::Failure,
    passthru::{Passthru, PassthruAttributes, PassthruError},
    request::Requests,
};

/// How a call is sealed.
#[derive(Clone, Debug)]
pub(super) struct Sealing {
    codec: Passthru,
    procedure: Uri,
    attributes: Option<Box<PassthruAttributes>>,
}

impl Sealing {
    /// By this codec, and as the options of the first CALL say.
    pub(super) fn new(codec: Passthru, procedure: &Uri, options: &CallOptions) -> Self {
        Self {
            codec,
            procedure: procedure.clone(),
            attributes: PassthruAttributes::from_dict(options.as_dict()).map(Box::new),
        }
    }

    pub(super) fn codec(&self) -> &Passthru {
        &self.codec
    }

    /// Seal more arguments of the call.
    ///
    /// WAMP spec, "Freezing of Options in Progressive Call Invocations": they must be sealed as the
    /// first ones were, for nothing is told of them.
    pub(super) fn seal(
        &self,
        arguments: PayloadBuilder,
        requests: &Requests<Command>,
    ) -> Result<Payload, SendError> {
        let sealed = requests.seal(arguments, Some((&self.codec, &self.procedure)));
        let (payload, attributes) = sealed?;
        if attributes != self.attributes {
            let source = PassthruError::Changed.into();
            return Err(SendError::Encode(EncodeError::Sealed { source }));
        }
        Ok(payload)
    }
}

/// Open the answer of a call, be it a result or an error.
pub(super) fn open(
    answer: Result<CallResult, Failure>,
    sealing: Option<&Sealing>,
) -> Result<CallResult, CallError> {
    let codec = sealing.map(Sealing::codec);
    match answer {
        Ok(result) => Ok(result.open(codec)),
        Err(failure) => Err(failure.open(codec).into()),
    }
}
