use serde::{Serialize, ser::Error as _};
use spell_message::{
    Dict, Feature, IntoUri, List, RoleName, Value, ValueError, options::PublishOptions, to_value,
};

use super::{Meta, MetaCall, MetaError};

const NEEDS: (RoleName, Feature) = (RoleName::Dealer, Feature::TestamentMetaApi);

/// Testaments: events that the router publishes for a session once it is gone.
///
/// They belong to the session and end with it: after a reconnect they must be added again.
///
/// ```
/// # use spell_peer::PeerBuilder;
/// # use spell_roles::{Caller, Session, Subscriber};
/// use spell_roles::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let router = spell_router::Router::local();
/// # let heir = PeerBuilder::new(Session::new("com.example.realm")).role(Subscriber::new());
/// # let heir = heir.connect(router.connector()).await?;
/// # let peer = PeerBuilder::new(Session::new("com.example.realm")).role(Caller::new());
/// # let peer = peer.connect(router.connector()).await?;
/// let mut farewells = heir.subscribe("com.example.farewell").await?;
///
/// peer.meta().session_add_testament("com.example.farewell").arg("boiler 7").await?;
/// peer.stop();
///
/// let farewell = farewells.next().await.ok_or("no event")?;
/// assert_eq!(farewell.value::<String>()?, "boiler 7");
/// # Ok(())
/// # }
/// ```
///
/// WAMP spec, "Session Testament".
impl<'a> Meta<'a> {
    /// Have an event published when this session is gone. Several are published in the order they
    /// were added.
    ///
    /// `wamp.session.add_testament`
    pub fn session_add_testament(self, topic: impl IntoUri) -> MetaCall<'a, (), AddTestament> {
        let call = self.call("wamp.session.add_testament", NEEDS, [], |_| Ok(()));
        let mut call = call.uri_arg(topic.into_uri());
        call.set_arg(ARGS, Ok(List::new().into()));
        call.set_arg(KWARGS, Ok(Dict::new().into()));
        call
    }

    /// Forget the testaments of this session, those of one scope; gives how many there were, if the
    /// router tells.
    ///
    /// `wamp.session.flush_testaments`
    pub fn session_flush_testaments(self) -> MetaCall<'a, Option<u64>, FlushTestaments> {
        self.call("wamp.session.flush_testaments", NEEDS, [], |args| {
            Ok(args.next("count").optional_count())
        })
    }
}

/// When a testament is published.
///
/// WAMP spec, "Session Testament".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TestamentScope {
    /// When the session is gone for good: the default.
    #[default]
    Destroyed,
    /// When the session lost its connection, even if it could be resumed.
    Detached,
}

impl TestamentScope {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Destroyed => "destroyed",
            Self::Detached => "detached",
        }
    }
}

/// Marks a [`MetaCall`] that adds a testament.
#[derive(Debug)]
#[non_exhaustive]
pub struct AddTestament;

/// Where the arguments of the event are among those of the call.
const ARGS: usize = 1;
const KWARGS: usize = 2;

impl<T> MetaCall<'_, T, AddTestament> {
    /// Set all positional arguments of the event: a tuple, a slice or a `Vec`; `()` for none.
    pub fn args(mut self, args: impl Serialize) -> Self {
        let args = to_value(&args).and_then(|args| match args {
            Value::List(_) => Ok(args),
            Value::Null => Ok(List::new().into()),
            _ => Err(ValueError::custom("positional arguments must be a list")),
        });
        self.set_arg(ARGS, args);
        self
    }

    /// Append one positional argument of the event.
    pub fn arg(mut self, arg: impl Serialize) -> Self {
        match to_value(&arg) {
            Ok(arg) => self.change_args(|args| {
                if let Some(Value::List(args)) = args.get_mut(ARGS) {
                    args.push(arg);
                }
            }),
            Err(error) => self.fail(MetaError::Encode(error)),
        }
        self
    }

    /// Set all keyword arguments of the event: a struct or a map; `()` for none.
    pub fn kwargs(mut self, kwargs: impl Serialize) -> Self {
        let kwargs = to_value(&kwargs).and_then(|kwargs| match kwargs {
            Value::Dict(_) => Ok(kwargs),
            Value::Null => Ok(Dict::new().into()),
            _ => Err(ValueError::custom("keyword arguments must be a dictionary")),
        });
        self.set_arg(KWARGS, kwargs);
        self
    }

    /// Set one keyword argument of the event.
    pub fn kwarg(mut self, name: &str, kwarg: impl Serialize) -> Self {
        match to_value(&kwarg) {
            Ok(kwarg) => self.change_args(|args| {
                if let Some(Value::Dict(kwargs)) = args.get_mut(KWARGS) {
                    kwargs.insert(name, kwarg);
                }
            }),
            Err(error) => self.fail(MetaError::Encode(error)),
        }
        self
    }

    /// The options of the PUBLISH; default none. A router may leave some of them aside, such as
    /// `acknowledge`.
    pub fn publish_options(self, options: PublishOptions) -> Self {
        self.option("publish_options", options.into_dict())
    }

    /// When it is published; default once the session is gone for good.
    pub fn scope(self, scope: TestamentScope) -> Self {
        self.option("scope", scope.as_str())
    }
}

/// Marks a [`MetaCall`] that forgets testaments.
#[derive(Debug)]
#[non_exhaustive]
pub struct FlushTestaments;

impl<T> MetaCall<'_, T, FlushTestaments> {
    /// Which of them; default those for when the session is gone for good.
    pub fn scope(self, scope: TestamentScope) -> Self {
        self.option("scope", scope.as_str())
    }
}
