use std::{marker::PhantomData, pin::Pin, time::Duration};

use spell_message::{Dict, Feature, InvalidUri, List, RoleName, Uri, Value, ValueError};

use super::{Meta, MetaDecodeError, MetaError, decode::Arguments};
use crate::Call;

/// A call of a meta procedure in the making; `.await` makes it and gives the result. Made by the
/// methods of [`Meta`].
///
/// `O` says which options it has: they are the methods below that are not for all.
///
/// # Errors
///
/// See [`MetaError`]. What was given is checked when it is awaited, before anything is sent.
///
/// # Cancel safety
///
/// That of [`Call`]: dropped before it was committed, a call is never sent; dropped later, the
/// router may have done already what it asks for.
#[derive(Debug)]
#[must_use = "a call is sent only when it is awaited"]
pub struct MetaCall<'a, T, O = ()> {
    call: Call<'a>,
    procedure: &'static str,
    pub(super) args: Result<List, MetaError>,
    pub(super) kwargs: Dict,
    read: Read<T>,
    options: PhantomData<fn() -> O>,
}

/// Makes the result out of its arguments.
type Read<T> = fn(&mut Arguments) -> Result<T, MetaDecodeError>;

impl<'a> Meta<'a> {
    /// A call that needs the feature of the router's role.
    pub(super) fn call<T, O>(
        self,
        procedure: &'static str,
        needs: (RoleName, Feature),
        args: impl IntoIterator<Item = Value>,
        read: Read<T>,
    ) -> MetaCall<'a, T, O> {
        let call = self.caller.call(procedure);
        MetaCall {
            call: if self.is_checked {
                call.needs(needs)
            } else {
                call
            },
            procedure,
            args: Ok(args.into_iter().collect()),
            kwargs: Dict::new(),
            read,
            options: PhantomData,
        }
    }
}

impl<T, O> MetaCall<'_, T, O> {
    /// How long it may take, from the `.await` to the answer.
    ///
    /// Default: [`PeerConfig::request_timeout`](spell_peer::PeerConfig::request_timeout).
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.call = self.call.timeout(limit);
        self
    }

    /// Wait for ever.
    pub fn no_timeout(mut self) -> Self {
        self.call = self.call.no_timeout();
        self
    }

    /// Set one keyword argument: one that has no method here, or an extension of the router.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.kwargs.insert(key, value);
        self
    }

    /// Make the call: what `.await` does, without the box.
    pub async fn send(self) -> Result<T, MetaError> {
        let args = self.args?;
        let mut call = self.call.args(&args);
        if !self.kwargs.is_empty() {
            call = call.kwargs(&self.kwargs);
        }
        let result = call.send().await?;
        let mut arguments = Arguments::new(self.procedure, result.payload())?;
        Ok((self.read)(&mut arguments)?)
    }

    /// Append a positional argument that is a URI.
    pub(super) fn uri_arg(mut self, uri: Result<Uri, InvalidUri>) -> Self {
        match uri {
            Ok(uri) => self.change_args(|args| args.push(uri.into())),
            Err(error) => self.fail(MetaError::Uri(error)),
        }
        self
    }

    /// Set one of the options, the second argument, that a registration or subscription is looked
    /// up with.
    pub(super) fn lookup_option(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.change_args(|args| match args.get_mut(1) {
            Some(Value::Dict(options)) => _ = options.insert(key, value),
            _ => args.push(Dict::from([(key, value)]).into()),
        });
        self
    }

    /// Set all of them.
    pub(super) fn lookup_options(mut self, options: Dict) -> Self {
        self.set_arg(1, Ok(options.into()));
        self
    }

    /// Set a keyword argument that is a URI.
    pub(super) fn uri_option(mut self, key: &str, uri: Result<Uri, InvalidUri>) -> Self {
        match uri {
            Ok(uri) => _ = self.kwargs.insert(key, uri),
            Err(error) => self.fail(MetaError::Uri(error)),
        }
        self
    }

    /// Set a positional argument; those before it are there.
    pub(super) fn set_arg(&mut self, index: usize, value: Result<Value, ValueError>) {
        match value {
            Ok(value) => self.change_args(|args| match args.get_mut(index) {
                Some(arg) => *arg = value,
                None => args.push(value),
            }),
            Err(error) => self.fail(MetaError::Encode(error)),
        }
    }

    /// Change the positional arguments, unless something is wrong already.
    pub(super) fn change_args(&mut self, change: impl FnOnce(&mut List)) {
        if let Ok(args) = &mut self.args {
            change(args);
        }
    }

    /// What is wrong first is what is told.
    pub(super) fn fail(&mut self, error: MetaError) {
        if self.args.is_ok() {
            self.args = Err(error);
        }
    }
}

impl<'a, T: 'a, O: 'a> IntoFuture for MetaCall<'a, T, O> {
    type Output = Result<T, MetaError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Ids of registrations or of subscriptions, by how their URIs match.
///
/// WAMP spec, "Registration Meta API" and "Subscription Meta API".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdsByMatch<I> {
    /// Those of a URI.
    pub exact: Vec<I>,
    /// Those of a prefix.
    pub prefix: Vec<I>,
    /// Those of a wildcard.
    pub wildcard: Vec<I>,
}

impl<I: TryFrom<u64>> IdsByMatch<I> {
    /// From a dictionary; a list that is not there is empty.
    pub(super) fn read(
        name: &'static str,
        arguments: &mut Arguments,
    ) -> Result<Self, MetaDecodeError> {
        let dict = arguments.next(name).dict()?;
        let ids = |policy| arguments.entry(&dict, policy).optional_ids();
        Ok(Self {
            exact: ids("exact")?,
            prefix: ids("prefix")?,
            wildcard: ids("wildcard")?,
        })
    }
}

impl<I> IdsByMatch<I> {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &I> {
        self.exact.iter().chain(&self.prefix).chain(&self.wildcard)
    }
}
