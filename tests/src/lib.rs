//! Support for the tests of the whole workspace, which are in `tests/tests/`.
//!
//! * [`router`] gives the routers that the same tests run against, [`place`] is one of them and a way to reach it;
//! * [`crossbar`] starts Crossbar.io, [`routers`] the routers of other crates, and [`foreign`] WAMP peers of other
//!   makes;
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
pub mod foreign;
pub mod link;
mod notice;
pub mod overhear;
pub mod place;
pub mod router;
pub mod routers;
pub mod runs;
pub mod scratch;

pub use notice::notice;
