use super::options;

options! {
    /// The options of CALL.
    ///
    /// WAMP spec, "CALL" and "Advanced RPC Features".
    CallOptions in "CALL.Options" {
        /// Whether the caller wants results as they come; default no.
        receive_progress / set_receive_progress: flag;
        /// Whether more of the arguments are to come; default no.
        progress / set_progress: flag;
        /// How long the call may take, in milliseconds; 0, the default, is for ever.
        timeout / set_timeout: integer;
        /// Whether the callee may learn who calls; default no.
        disclose_me / set_disclose_me: flag;
        /// The resource key of sharded registrations.
        rkey / set_rkey: text;
        /// Which endpoints of a sharded registration run the call.
        runmode / set_runmode: text;
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// A hash that makes the call unique; not in the specification.
        transaction_hash / set_transaction_hash: text;
        /// The session of the caller; not in the specification.
        caller / set_caller: session;
        /// The `authid` of the caller; not in the specification.
        caller_authid / set_caller_authid: text;
        /// The `authrole` of the caller; not in the specification.
        caller_authrole / set_caller_authrole: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}

options! {
    /// The options of CANCEL.
    ///
    /// WAMP spec, "Call Canceling".
    CancelOptions in "CANCEL.Options" {
        /// What becomes of the callee's work.
        mode / set_mode: cancel;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
    }
}

options! {
    /// The details of RESULT.
    ///
    /// WAMP spec, "RESULT" and "Advanced RPC Features".
    ResultDetails in "RESULT.Details" {
        /// Whether more is to come; default no.
        progress / set_progress: flag;
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// The session of the callee; not in the specification.
        callee / set_callee: session;
        /// The `authid` of the callee; not in the specification.
        callee_authid / set_callee_authid: text;
        /// The `authrole` of the callee; not in the specification.
        callee_authrole / set_callee_authrole: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}

options! {
    /// The options of REGISTER.
    ///
    /// WAMP spec, "REGISTER" and "Advanced RPC Features".
    RegisterOptions in "REGISTER.Options" {
        /// How the procedure matches; default exactly.
        match_policy / set_match_policy: matching as "match";
        /// How callees share the registration; default not at all.
        invoke / set_invoke: invoke;
        /// Whether the callee wants to learn who calls; default no.
        disclose_caller / set_disclose_caller: flag;
        /// Whether the callee watches over time-outs itself; default no.
        forward_timeout / set_forward_timeout: flag;
        /// How many invocations may run at a time; not in the specification.
        concurrency / set_concurrency: integer;
        /// Whether to take the registration from whoever has it; not in the specification.
        force_reregister / set_force_reregister: flag;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
    }
}

options! {
    /// The details of an UNREGISTERED that revokes a registration.
    ///
    /// WAMP spec, "Registration Revocation".
    UnregisteredDetails in "UNREGISTERED.Details" {
        /// The registration that is revoked.
        registration / set_registration: registration;
        /// Why.
        reason / set_reason: text;
    }
}

options! {
    /// The details of INVOCATION.
    ///
    /// WAMP spec, "INVOCATION" and "Advanced RPC Features".
    InvocationDetails in "INVOCATION.Details" {
        /// The session of the caller, when it is disclosed.
        caller / set_caller: session;
        /// The `authid` of the caller, when it is disclosed.
        caller_authid / set_caller_authid: text;
        /// The `authrole` of the caller, when it is disclosed.
        caller_authrole / set_caller_authrole: text;
        /// How far the dealer trusts the call; 0 is lowest.
        trustlevel / set_trustlevel: integer;
        /// The procedure that was called, when the registration is of a pattern.
        procedure / set_procedure: uri;
        /// Whether the caller wants results as they come; default no.
        receive_progress / set_receive_progress: flag;
        /// Whether more of the arguments are to come; default no.
        progress / set_progress: flag;
        /// How long the invocation may take, in milliseconds, when the callee watches over it.
        timeout / set_timeout: integer;
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// A hash that makes the call unique; not in the specification.
        transaction_hash / set_transaction_hash: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}

options! {
    /// The options of INTERRUPT.
    ///
    /// WAMP spec, "Call Canceling".
    InterruptOptions in "INTERRUPT.Options" {
        /// Whether the dealer waits for the callee's answer.
        mode / set_mode: cancel;
        /// Why; not in the specification.
        reason / set_reason: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
    }
}

options! {
    /// The options of YIELD.
    ///
    /// WAMP spec, "YIELD" and "Advanced RPC Features".
    YieldOptions in "YIELD.Options" {
        /// Whether more is to come; default no.
        progress / set_progress: flag;
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// The session of the callee; not in the specification.
        callee / set_callee: session;
        /// The `authid` of the callee; not in the specification.
        callee_authid / set_callee_authid: text;
        /// The `authrole` of the callee; not in the specification.
        callee_authrole / set_callee_authrole: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}

options! {
    /// The details of ERROR.
    ///
    /// WAMP spec, "ERROR".
    ErrorDetails in "ERROR.Details" {
        /// The scheme of a payload that passes through.
        ppt_scheme / set_ppt_scheme: text;
        /// The serializer of a payload that passes through.
        ppt_serializer / set_ppt_serializer: text;
        /// The cipher of a payload that passes through.
        ppt_cipher / set_ppt_cipher: text;
        /// The key of a payload that passes through.
        ppt_keyid / set_ppt_keyid: text;
        /// The session of the callee; not in the specification.
        callee / set_callee: session;
        /// The `authid` of the callee; not in the specification.
        callee_authid / set_callee_authid: text;
        /// The `authrole` of the callee; not in the specification.
        callee_authrole / set_callee_authrole: text;
        /// The routers a message came by; not in the specification.
        forward_for / set_forward_for: dicts;
        /// Autobahn's form of [`ppt_scheme`](Self::ppt_scheme); not in the specification.
        enc_algo / set_enc_algo: text;
        /// Autobahn's form of [`ppt_keyid`](Self::ppt_keyid); not in the specification.
        enc_key / set_enc_key: text;
        /// Autobahn's form of [`ppt_serializer`](Self::ppt_serializer); not in the specification.
        enc_serializer / set_enc_serializer: text;
    }
}
