//! What most programs need: the verbs of a client, and the types they are used with.
//!
//! ```
//! use spell::prelude::*;
//! ```

pub use spell_roles::{Args, CallError, InvocationError, Kwargs, prelude::*};
