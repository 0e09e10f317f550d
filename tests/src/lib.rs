//! Support for the tests of the whole workspace, which are in `tests/tests/`.
//!
//! * [`crossbar`] starts Crossbar.io, the router that the embedded one is compared with;
//! * [`link`] names the ways to reach a router;
//! * [`python`] runs a WAMP peer of another make;
//! * [`notice()`] says what a test that passes has to say.
//!
//! Like any test, this code stops where it is surprised.
#![forbid(unsafe_code)]

pub mod crossbar;
pub mod link;
mod notice;
pub mod python;

pub use notice::notice;
