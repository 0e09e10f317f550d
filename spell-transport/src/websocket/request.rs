//! The HTTP request that asks for a WebSocket.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri,
    header::{
        CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use spell_message::Serialization;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use crate::{
    ConnectError, UrlError,
    address::{Address, Protocol},
    websocket::UpgradeError,
};

/// What a client asks the server for: a resource, and headers with it.
///
/// ```
/// use spell_transport::websocket::WebSocketRequest;
///
/// let request = WebSocketRequest::new("ws://router.example/wamp?realm=a")?
///     .header("Authorization", "Bearer 0123")?;
/// assert!(!format!("{request:?}").contains("0123"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct WebSocketRequest {
    host: String,
    resource: Uri,
    headers: HeaderMap,
}

/// A header that cannot be sent: its name or value has characters that HTTP does not allow, or
/// it is one that the handshake itself sets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP header {name:?} cannot be sent")]
pub struct InvalidHeader {
    name: String,
}

impl WebSocketRequest {
    /// Asks for the path and the query of `url`, and for its host by name. A `wss:` URL needs the
    /// feature `tls` here too, although the stream of bytes is there already.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let address = Address::parse(url)?;
        match address.protocol {
            Protocol::WebSocket { host, resource } => Self::from_parts(host, &resource),
            Protocol::RawSocket => Err(UrlError::WrongProtocol {
                scheme: address.scheme,
            }),
        }
    }

    pub(crate) fn from_parts(host: String, resource: &str) -> Result<Self, UrlError> {
        let resource = resource.parse().map_err(|_error| UrlError::Invalid {
            reason: "the path or the query has characters that HTTP does not allow".to_owned(),
        })?;
        Ok(Self {
            host,
            resource,
            headers: HeaderMap::new(),
        })
    }

    /// Adds a header, as for a cookie or a token. Its value is not shown by `Debug`.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidHeader> {
        self.add_header(name, value)?;
        Ok(self)
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) -> Result<(), InvalidHeader> {
        let invalid = || InvalidHeader {
            name: name.to_owned(),
        };
        let key = HeaderName::try_from(name).map_err(|_error| invalid())?;
        if OWN_HEADERS.contains(&key) {
            return Err(invalid());
        }
        let mut value = HeaderValue::try_from(value).map_err(|_error| invalid())?;
        value.set_sensitive(true);
        self.headers.append(key, value);
        Ok(())
    }

    /// The request with the subprotocols of `offers`.
    pub(super) fn build(self, offers: &[Serialization]) -> Result<Request<()>, ConnectError> {
        let subprotocols: Vec<_> = offers.iter().map(Serialization::subprotocol).collect();
        let uri = Uri::builder()
            .scheme("ws")
            .authority(self.host.as_str())
            .path_and_query(
                self.resource
                    .path_and_query()
                    .map_or("/", |path| path.as_str()),
            )
            .build()
            .map_err(|error| invalid(&error))?;
        let mut request = Request::builder()
            .uri(uri)
            .header(HOST, self.host)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, generate_key())
            .header(SEC_WEBSOCKET_PROTOCOL, subprotocols.join(", "))
            .body(())
            .map_err(|error| invalid(&error))?;
        request.headers_mut().extend(self.headers);
        Ok(request)
    }
}

impl fmt::Debug for WebSocketRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketRequest")
            .field("host", &self.host)
            .field("path", &self.resource.path())
            .finish_non_exhaustive()
    }
}

fn invalid(error: &http::Error) -> ConnectError {
    ConnectError::WebSocket(UpgradeError::Invalid {
        detail: error.to_string(),
    })
}

const OWN_HEADERS: [HeaderName; 6] = [
    HOST,
    CONNECTION,
    UPGRADE,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
];
