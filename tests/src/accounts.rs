//! Who may join the routers of the tests.

/// The realm of all tests.
pub const REALM: &str = "realm1";

/// The role of everybody who has authenticated.
pub const ROLE: &str = "user";

/// Somebody who has to authenticate.
#[derive(Debug)]
#[non_exhaustive]
pub struct Account {
    /// The `authid` to say in HELLO.
    pub authid: &'static str,
    /// The ticket, or the secret to sign with; known to everybody who reads this.
    pub secret: &'static str,
}

/// Joins with a ticket.
pub const TICKET: Account = Account {
    authid: "ticket-user",
    secret: "ticket of ticket-user",
};

/// Joins with WAMP-CRA and signs with the secret itself.
pub const CRA: Account = Account {
    authid: "cra-user",
    secret: "secret of cra-user",
};

/// Joins with WAMP-CRA and signs with a key derived from the secret by [`SALT`] and [`ITERATIONS`].
pub const SALTED_CRA: Account = Account {
    authid: "salted-user",
    secret: "secret of salted-user",
};

/// The salt of [`SALTED_CRA`].
pub const SALT: &str = "salt123";

/// The rounds of key derivation of [`SALTED_CRA`].
pub const ITERATIONS: u32 = 1000;

/// How far the embedded router trusts those who did not authenticate.
pub const TRUSTLEVEL: u64 = 3;
