//! Dialling: a transport is made again for each connection.

use std::fmt;

use async_trait::async_trait;
use spell_message::Serialization;

use crate::{BoxTransport, ConnectError, Transport};

/// Dials and negotiates; called again for each reconnect.
///
/// [`connector_fn`] makes one of a closure, [`BoxConnector`] one that is chosen at run time, and
/// the function `connector` one of a URL.
pub trait Connector: Send + 'static {
    /// The transport this connector makes.
    type Transport: Transport;

    /// Connects, offering `offers` in order of preference. The transport's
    /// [`info`](Transport::info) says which of them the other side took.
    ///
    /// There is no time-out in it; bound it from outside.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up and closes what was opened.
    fn connect(
        &mut self,
        offers: &[Serialization],
    ) -> impl Future<Output = Result<Self::Transport, ConnectError>> + Send;

    /// Where it dials, for people: for logs and events. Holds nothing that may be secret, as the
    /// query of a URL. Default: `None`.
    fn address(&self) -> Option<String> {
        None
    }
}

/// A connector chosen at run time, as by a URL.
///
/// Its one cost is a boxed future per dial; messages go through [`BoxTransport`] without any.
///
/// ```
/// use spell_transport::{BoxConnector, Connector, Serialization, Transport, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (dial, _listener) = memory::listener([Serialization::CBOR]);
/// let mut dial = BoxConnector::new(dial);
/// let transport = dial.connect(&[Serialization::JSON, Serialization::CBOR]).await?;
/// assert_eq!(transport.info().serialization(), Serialization::CBOR);
/// # Ok::<_, spell_transport::ConnectError>(()) }).unwrap();
/// ```
pub struct BoxConnector(Box<dyn DynConnector>);

impl BoxConnector {
    /// Boxes `connector`.
    pub fn new(connector: impl Connector) -> Self {
        Self(Box::new(connector))
    }
}

impl Connector for BoxConnector {
    type Transport = BoxTransport;

    async fn connect(&mut self, offers: &[Serialization]) -> Result<BoxTransport, ConnectError> {
        self.0.connect(offers).await
    }

    fn address(&self) -> Option<String> {
        self.0.address()
    }
}

impl fmt::Debug for BoxConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxConnector").finish_non_exhaustive()
    }
}

/// Makes a connector of a closure, for dialling in a way of your own.
///
/// The closure gets the serializations to offer, in order of preference.
///
/// ```
/// use spell_transport::{Connector, Serialization, Transport, connector_fn, memory};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let mut dial = connector_fn(|offers: Vec<Serialization>| async move {
///     let (near, _far) = memory::pair(offers[0]);
///     Ok(near)
/// });
/// let transport = dial.connect(&[Serialization::JSON]).await?;
/// assert_eq!(transport.info().serialization(), Serialization::JSON);
/// # Ok::<_, spell_transport::ConnectError>(()) }).unwrap();
/// ```
pub fn connector_fn<F, Fut, T>(dial: F) -> ConnectorFn<F>
where
    F: FnMut(Vec<Serialization>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, ConnectError>> + Send,
    T: Transport,
{
    ConnectorFn(dial)
}

/// A closure as a connector; made by [`connector_fn`].
#[derive(Clone)]
pub struct ConnectorFn<F>(F);

impl<F, Fut, T> Connector for ConnectorFn<F>
where
    F: FnMut(Vec<Serialization>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, ConnectError>> + Send,
    T: Transport,
{
    type Transport = T;

    fn connect(
        &mut self,
        offers: &[Serialization],
    ) -> impl Future<Output = Result<T, ConnectError>> + Send {
        (self.0)(offers.to_vec())
    }
}

impl<F> fmt::Debug for ConnectorFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectorFn").finish_non_exhaustive()
    }
}

/// The object-safe twin of [`Connector`].
#[async_trait]
trait DynConnector: Send {
    async fn connect(&mut self, offers: &[Serialization]) -> Result<BoxTransport, ConnectError>;
    fn address(&self) -> Option<String>;
}

#[async_trait]
impl<C: Connector> DynConnector for C {
    async fn connect(&mut self, offers: &[Serialization]) -> Result<BoxTransport, ConnectError> {
        let transport = Connector::connect(self, offers).await?;
        Ok(Box::new(transport))
    }

    fn address(&self) -> Option<String> {
        Connector::address(self)
    }
}
