//! The extension traits that put the roles' verbs on a peer.
//!
//! ```
//! use spell_roles::prelude::*;
//! ```

pub use crate::{SessionExt as _, TapExt as _};
