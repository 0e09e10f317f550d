//! The URIs the specification predefines, for errors and for the end of a session.
//!
//! Error types stay open: any other URI may come from a router or a callee, and is kept.
//!
//! WAMP spec, "Predefined URIs".

macro_rules! reasons {
    ($($(#[$doc:meta])* $NAME:ident = $uri:literal;)*) => { $(
        $(#[$doc])*
        #[doc = concat!("\n\n`", $uri, "`")]
        pub const $NAME: &str = $uri;
    )* };
}

reasons! {
    /// A URI field does not hold a URI.
    INVALID_URI = "wamp.error.invalid_uri";
    /// No registration matches the procedure that was called.
    NO_SUCH_PROCEDURE = "wamp.error.no_such_procedure";
    /// The procedure is registered already.
    PROCEDURE_ALREADY_EXISTS = "wamp.error.procedure_already_exists";
    /// There is no such registration.
    NO_SUCH_REGISTRATION = "wamp.error.no_such_registration";
    /// There is no such subscription.
    NO_SUCH_SUBSCRIPTION = "wamp.error.no_such_subscription";
    /// There is no such session.
    NO_SUCH_SESSION = "wamp.error.no_such_session";
    /// The arguments are not those the procedure or the router's payload validation expects.
    INVALID_ARGUMENT = "wamp.error.invalid_argument";
    /// The call was cancelled, or its callee left.
    CANCELED = "wamp.error.canceled";
    /// The spelling of [`CANCELED`] in another chapter of the specification; match both.
    CANCELLED = "wamp.error.cancelled";
    /// The message is larger than the transport takes.
    PAYLOAD_SIZE_EXCEEDED = "wamp.error.payload_size_exceeded";
    /// The peer broke the protocol; the session is over.
    PROTOCOL_VIOLATION = "wamp.error.protocol_violation";
    /// The session may not do that.
    NOT_AUTHORIZED = "wamp.error.not_authorized";
    /// Whether the session may do that could not be found out.
    AUTHORIZATION_FAILED = "wamp.error.authorization_failed";
    /// The session may not do that, for good.
    AUTHORIZATION_DENIED = "wamp.error.authorization_denied";
    /// The session needs a capability for that.
    AUTHORIZATION_REQUIRED = "wamp.error.authorization_required";
    /// The router has no such realm.
    NO_SUCH_REALM = "wamp.error.no_such_realm";
    /// The realm has no such role.
    NO_SUCH_ROLE = "wamp.error.no_such_role";
    /// The router takes none of the authentication methods offered.
    NO_MATCHING_AUTH_METHOD = "wamp.error.no_matching_auth_method";
    /// The router knows no such `authid`.
    NO_SUCH_PRINCIPAL = "wamp.error.no_such_principal";
    /// The credentials are wrong.
    AUTHENTICATION_DENIED = "wamp.error.authentication_denied";
    /// Authentication failed for a technical reason.
    AUTHENTICATION_FAILED = "wamp.error.authentication_failed";
    /// The realm takes no anonymous sessions.
    AUTHENTICATION_REQUIRED = "wamp.error.authentication_required";
    /// The call took too long.
    TIMEOUT = "wamp.error.timeout";
    /// The router refuses an option.
    OPTION_NOT_ALLOWED = "wamp.error.option_not_allowed";
    /// The router refuses to disclose who calls or publishes.
    DISCLOSE_ME_DISALLOWED = "wamp.error.option_disallowed.disclose_me";
    /// The router lost the network.
    NETWORK_FAILURE = "wamp.error.network_failure";
    /// The callee asks that another one serve the call.
    UNAVAILABLE = "wamp.error.unavailable";
    /// All callees are unavailable.
    NO_AVAILABLE_CALLEE = "wamp.error.no_available_callee";
    /// The callee lacks a feature the call needs.
    FEATURE_NOT_SUPPORTED = "wamp.error.feature_not_supported";
    /// A handler failed without naming an error of its own.
    ///
    /// Not in the specification, which predefines nothing for it; Autobahn's callees send it.
    RUNTIME_ERROR = "wamp.error.runtime_error";
    /// The session leaves, by its own wish.
    CLOSE_REALM = "wamp.close.close_realm";
    /// The answer to a GOODBYE.
    GOODBYE_AND_OUT = "wamp.close.goodbye_and_out";
    /// The router, or the client, shuts down.
    SYSTEM_SHUTDOWN = "wamp.close.system_shutdown";
    /// The router ended the session.
    KILLED = "wamp.close.killed";
    /// The session leaves; seen in examples of the specification and sent by Autobahn.
    NORMAL = "wamp.close.normal";
}
