use super::options;

options! {
    /// The details of HELLO.
    ///
    /// WAMP spec, "Session Establishment" and "Authentication".
    HelloDetails in "HELLO.Details" {
        /// The roles the client takes and the features of each. Required.
        roles / set_roles: roles;
        /// The software of the client.
        agent / set_agent: text;
        /// The authentication methods the client offers.
        authmethods / set_authmethods: texts;
        /// Who the client says it is.
        authid / set_authid: text;
        /// The role the client asks for; not in the specification.
        authrole / set_authrole: text;
        /// What the authentication methods need beforehand.
        authextra / set_authextra: dict;
        /// How the transport authenticates the client.
        transport / set_transport: dict;
        /// Whether the session may be resumed; not in the specification.
        resumable / set_resumable: flag;
        /// The session to resume; not in the specification.
        resume_session / set_resume_session: session;
        /// The proof that the session may be resumed; not in the specification.
        resume_token / set_resume_token: text;
    }
}

options! {
    /// The details of WELCOME.
    ///
    /// WAMP spec, "Session Establishment" and "Authentication".
    WelcomeDetails in "WELCOME.Details" {
        /// The roles the router takes and the features of each. Required.
        roles / set_roles: roles;
        /// The software of the router.
        agent / set_agent: text;
        /// The realm that was joined.
        realm / set_realm: text;
        /// Who the router takes the client for.
        authid / set_authid: text;
        /// The role the router gave the client.
        authrole / set_authrole: text;
        /// How the client was authenticated.
        authmethod / set_authmethod: text;
        /// What vouches for the authentication.
        authprovider / set_authprovider: text;
        /// What the authentication method adds.
        authextra / set_authextra: dict;
    }
}

options! {
    /// The details of ABORT.
    ///
    /// WAMP spec, "ABORT".
    AbortDetails in "ABORT.Details" {
        /// A text for people.
        message / set_message: text;
        /// Why SCRAM failed.
        scram / set_scram: text;
    }
}

options! {
    /// The details of GOODBYE.
    ///
    /// WAMP spec, "GOODBYE".
    GoodbyeDetails in "GOODBYE.Details" {
        /// A text for people.
        message / set_message: text;
        /// Whether the session may be resumed; not in the specification.
        resumable / set_resumable: flag;
    }
}
