//! Support for the tests of the whole workspace, which are in `tests/tests/`.
//!
//! * [`crossbar`] starts Crossbar.io, the router that the embedded one is compared with;
//! * [`link`] names the ways to reach a router.
//!
//! Like any test, this code stops where it is surprised.
#![forbid(unsafe_code)]

pub mod crossbar;
pub mod link;
