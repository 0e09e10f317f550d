//! Methods that the builders of several messages have.

/// The methods that give a message its arguments; `self.arguments` is a
/// [`PayloadBuilder`](spell_serializer::PayloadBuilder).
macro_rules! argument_methods {
    () => {
        /// Set all positional arguments: a tuple, a slice or a `Vec`; `()` for none.
        ///
        /// They are encoded at once; an error comes when this is awaited.
        pub fn args(mut self, args: impl serde::Serialize) -> Self {
            self.arguments = self.arguments.args(&args);
            self
        }

        /// Append one positional argument.
        pub fn arg(mut self, arg: impl serde::Serialize) -> Self {
            self.arguments = self.arguments.arg(&arg);
            self
        }

        /// Set all keyword arguments: a struct or a map; `()` for none.
        pub fn kwargs(mut self, kwargs: impl serde::Serialize) -> Self {
            self.arguments = self.arguments.kwargs(&kwargs);
            self
        }

        /// Append one keyword argument, whose name must be a new one.
        pub fn kwarg(mut self, name: &str, kwarg: impl serde::Serialize) -> Self {
            self.arguments = self.arguments.kwarg(name, &kwarg);
            self
        }
    };
}

/// The methods that limit how long a request may take; `self.limit` is an `Option<Duration>`.
macro_rules! limit_methods {
    () => {
        /// How long it may take, from the `.await` to the answer.
        ///
        /// Default: [`PeerConfig::request_timeout`](spell_peer::PeerConfig::request_timeout). This
        /// is the handle's own clock; the router is told nothing.
        pub fn timeout(mut self, limit: std::time::Duration) -> Self {
            self.limit = Some(limit);
            self
        }

        /// Wait for ever.
        pub fn no_timeout(mut self) -> Self {
            self.limit = None;
            self
        }
    };
}

pub(crate) use {argument_methods, limit_methods};
