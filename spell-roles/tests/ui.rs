//! What the compiler says when a role is missing is part of the API, so it is tested.
//!
//! The words are those of the toolchain that `rust-toolchain.toml` pins; after a change of it, or
//! of the API, `TRYBUILD=overwrite cargo test -p spell-roles --test ui` writes them anew.

#[test]
fn the_compiler_says_what_is_missing() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
