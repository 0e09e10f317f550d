//! Support for the tests of the whole workspace, which are in `tests/tests/`.
//!
//! * [`router`] gives the routers that the same tests run against, the embedded one and Crossbar.io;
//! * [`crossbar`] starts Crossbar.io, and [`python`] a WAMP peer of another make;
//! * [`link`] names the ways to reach a router, [`accounts`] who may join it;
//! * [`conversation`] knows what a client and a router may say to each other;
//! * [`faults`] is a network that fails, between a client and its router;
//! * [`overhear`] lets a test hear what goes over connections;
//! * [`runs`] says how often a test repeats itself, and from which seed;
//! * [`scratch`] makes folders, and [`notice()`] says what a test that passes has to say.
//!
//! Like any test, this code stops where it is surprised.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod conversation;
pub mod crossbar;
pub mod faults;
pub mod link;
mod notice;
pub mod overhear;
pub mod python;
pub mod router;
pub mod runs;
pub mod scratch;

pub use notice::notice;
