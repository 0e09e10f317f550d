//! The extension traits that put the roles' verbs on a peer.
//!
//! ```
//! use spell_roles::prelude::*;
//! ```

pub use crate::{
    CalleeExt as _, CallerExt as _, MetaExt as _, PublisherExt as _, SessionExt as _,
    SubscriberExt as _, TapExt as _,
};
