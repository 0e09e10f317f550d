//! What the router takes.

use spell_message::{
    Dict, Feature, RoleName,
    options::{CallOptions, ErrorDetails, PublishOptions, YieldOptions},
};
use spell_peer::Context;

use super::{
    PassthruAttributes,
    attributes::{SCHEME, text},
    autobahn,
};
use crate::error::Failure;

/// Options of a message that can have a sealed payload.
pub(crate) trait Attributed: Sized {
    fn dict(&self) -> &Dict;
    /// The same with other entries.
    fn with(dict: Dict) -> Self;

    /// Say how the payload is sealed, if it is.
    fn describe(&mut self, attributes: Option<Box<PassthruAttributes>>) {
        if let Some(attributes) = attributes {
            let mut dict = self.dict().clone();
            attributes.write(&mut dict);
            *self = Self::with(dict);
        }
    }
}

macro_rules! attributed {
    ($($Options:ident)*) => { $(
        impl Attributed for $Options {
            fn dict(&self) -> &Dict {
                self.as_dict()
            }

            fn with(dict: Dict) -> Self {
                // What was there is right, and what was added is text.
                Self::from_dict(dict).unwrap_or_default()
            }
        }
    )* };
}

attributed! { CallOptions ErrorDetails PublishOptions YieldOptions }

/// Whether these options are those of a sealed payload.
pub(crate) fn is_sealed(options: &Dict) -> bool {
    text(options, SCHEME).is_some()
}

/// Bring the options of a sealed payload into the form that this role of the router takes.
///
/// WAMP spec, "Payload Passthru Mode": to use it with a router that did not announce it is a
/// protocol error.
pub(crate) fn fit<O: Attributed, C: Send + 'static>(
    options: &mut O,
    role: RoleName,
    cx: &Context<'_, C>,
) -> Result<(), Failure> {
    if !is_sealed(options.dict()) {
        return Ok(());
    }
    let feature = Feature::PayloadPassthruMode;
    if let Some(failure) = Failure::unsupported(role, Some(feature), cx) {
        return Err(failure);
    }
    let Some(session) = cx.session() else {
        return Ok(());
    };
    let announces = |key: &&str| session.roles().announces(role, key);
    let is_older = !announces(&feature.key()) && feature.aliases().iter().any(announces);
    if is_older {
        let translated = autobahn::translate(options.dict());
        let lacking = || Failure::lacking(role, Some(feature), session);
        *options = O::with(translated.ok_or_else(lacking)?);
    }
    Ok(())
}
