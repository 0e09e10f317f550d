//! URLs as the places they name, without IO.

use url::{Host, Url};

use crate::endpoint::{Endpoint, Target};

/// Why a URL cannot be dialled.
///
/// The URL itself is not in it, for people put secrets into URLs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is no URL, or part of it is malformed.
    #[error("not a valid URL: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The scheme is none that this crate dials.
    #[error("unknown URL scheme {scheme:?}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// The scheme needs a feature of this crate that was not compiled in. There is no fall-back
    /// to something less secure.
    #[error("the URL scheme {scheme:?} needs the feature `{feature}` of spell-transport")]
    MissingFeature {
        /// The scheme.
        scheme: String,
        /// The feature.
        feature: &'static str,
    },
    /// The scheme is known, but not one of the transport that was asked to dial it.
    #[error("the URL scheme {scheme:?} is one of another transport")]
    WrongProtocol {
        /// The scheme.
        scheme: String,
    },
    /// No port is given, and the scheme has no default.
    #[error("a URL of the scheme {scheme:?} needs a port")]
    NoPort {
        /// The scheme.
        scheme: String,
    },
    /// A user name or password is given. Neither transport has a use for it; authenticate by an
    /// authenticator.
    #[error("a URL with a user name or password cannot be used")]
    UserInfo,
    /// A part is given that means nothing here, as a path to RawSocket.
    #[error("a URL of the scheme {scheme:?} has no {part}")]
    Unexpected {
        /// The scheme.
        scheme: String,
        /// What has no meaning: `path`, `query` or `fragment`.
        part: &'static str,
    },
    /// The path of a Unix socket is not absolute.
    #[error("the path of a Unix socket must be absolute")]
    RelativePath,
    /// This platform has no Unix sockets.
    #[error("this platform has no Unix sockets")]
    NoUnixSockets,
}

/// What a URL says.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) scheme: String,
    pub(crate) protocol: Protocol,
    pub(crate) endpoint: Endpoint,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    WebSocket {
        /// For the `Host` header: without a port that is the scheme's default.
        host: String,
        /// The path and the query of the HTTP request.
        resource: String,
    },
    RawSocket,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once(':').ok_or_else(|| UrlError::Invalid {
            reason: "no scheme, as in ws://…".to_owned(),
        })?;
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "ws" => Self::websocket(scheme, url, false),
            "wss" => Self::websocket(scheme, url, true),
            "rs" | "tcp" => Self::rawsocket(scheme, url, false),
            "rss" | "tcps" => Self::rawsocket(scheme, url, true),
            "unix" | "rs+unix" => Self::rawsocket_unix(scheme, rest),
            "ws+unix" => Self::websocket_unix(scheme, rest),
            _ => Err(UrlError::UnknownScheme { scheme }),
        }
    }

    fn websocket(scheme: String, url: &str, tls: bool) -> Result<Self, UrlError> {
        need(cfg!(feature = "websocket"), &scheme, "websocket")?;
        let url = parse(&scheme, url, tls)?;
        let (host, port) = (host(&url)?, url.port_or_known_default());
        let port = port.ok_or_else(|| UrlError::NoPort {
            scheme: scheme.clone(),
        })?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        Ok(Self {
            protocol: Protocol::WebSocket {
                host: authority,
                resource: resource(&url),
            },
            endpoint: Endpoint::new(
                format!("{scheme}://{host}:{port}"),
                Target::tcp(&host, port),
                tls,
            ),
            scheme,
        })
    }

    fn rawsocket(scheme: String, url: &str, tls: bool) -> Result<Self, UrlError> {
        need(cfg!(feature = "rawsocket"), &scheme, "rawsocket")?;
        let url = parse(&scheme, url, tls)?;
        let host = host(&url)?;
        let unexpected = match (url.path(), url.query()) {
            ("" | "/", None) => None,
            (_, Some(_)) => Some("query"),
            _ => Some("path"),
        };
        if let Some(part) = unexpected {
            return Err(UrlError::Unexpected { scheme, part });
        }
        let Some(port) = url.port() else {
            return Err(UrlError::NoPort { scheme });
        };
        Ok(Self {
            protocol: Protocol::RawSocket,
            endpoint: Endpoint::new(
                format!("{scheme}://{host}:{port}"),
                Target::tcp(&host, port),
                tls,
            ),
            scheme,
        })
    }

    fn rawsocket_unix(scheme: String, rest: &str) -> Result<Self, UrlError> {
        need(cfg!(feature = "rawsocket"), &scheme, "rawsocket")?;
        Ok(Self {
            protocol: Protocol::RawSocket,
            endpoint: unix(&scheme, rest)?,
            scheme,
        })
    }

    /// The path of the socket, and after a colon that of the HTTP request.
    fn websocket_unix(scheme: String, rest: &str) -> Result<Self, UrlError> {
        need(cfg!(feature = "websocket"), &scheme, "websocket")?;
        let (socket, resource_part) = rest.split_once(':').unwrap_or((rest, "/"));
        if !resource_part.starts_with('/') {
            return Err(UrlError::Invalid {
                reason: "what follows the colon after a Unix socket is an absolute HTTP path"
                    .to_owned(),
            });
        }
        let url = parse(&scheme, &format!("ws://localhost{resource_part}"), false)?;
        Ok(Self {
            protocol: Protocol::WebSocket {
                host: "localhost".to_owned(),
                resource: resource(&url),
            },
            endpoint: unix(&scheme, socket)?,
            scheme,
        })
    }
}

fn need(present: bool, scheme: &str, feature: &'static str) -> Result<(), UrlError> {
    if present {
        return Ok(());
    }
    Err(UrlError::MissingFeature {
        scheme: scheme.to_owned(),
        feature,
    })
}

/// Checks what all schemes over TCP have in common.
fn parse(scheme: &str, url: &str, tls: bool) -> Result<Url, UrlError> {
    need(!tls || cfg!(feature = "tls"), scheme, "tls")?;
    let url = Url::parse(url).map_err(invalid)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Unexpected {
            scheme: scheme.to_owned(),
            part: "fragment",
        });
    }
    Ok(url)
}

/// Parsed anew, since the hosts of schemes that are not the web's are left as they are.
fn host(url: &Url) -> Result<Host, UrlError> {
    match url.host_str() {
        None | Some("") => Err(invalid(url::ParseError::EmptyHost)),
        // Told by itself, as there is nothing of a name in it.
        Some(host) if let Ok(address) = host.parse() => Ok(Host::Ipv4(address)),
        Some(host) => Host::parse(host).map_err(invalid),
    }
}

fn resource(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

fn invalid(error: url::ParseError) -> UrlError {
    UrlError::Invalid {
        reason: error.to_string(),
    }
}

fn unix(scheme: &str, rest: &str) -> Result<Endpoint, UrlError> {
    // As with file URLs, an empty authority may be written or not.
    let path = match rest.strip_prefix("//") {
        Some(path) => path,
        None => rest,
    };
    for (mark, part) in [('?', "query"), ('#', "fragment")] {
        if path.contains(mark) {
            let scheme = scheme.to_owned();
            return Err(UrlError::Unexpected { scheme, part });
        }
    }
    if !path.starts_with('/') {
        return Err(UrlError::RelativePath);
    }
    let bytes = percent_decode(path)?;
    unix_endpoint(format!("{scheme}:{path}"), bytes)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "not on every platform")]
fn unix_endpoint(name: String, path: Vec<u8>) -> Result<Endpoint, UrlError> {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

    let target = Target::Unix(PathBuf::from(OsString::from_vec(path)));
    Ok(Endpoint::new(name, target, false))
}

#[cfg(not(unix))]
fn unix_endpoint(_name: String, _path: Vec<u8>) -> Result<Endpoint, UrlError> {
    Err(UrlError::NoUnixSockets)
}

/// A path may have any bytes in it but 0.
fn percent_decode(text: &str) -> Result<Vec<u8>, UrlError> {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => escaped(rest.next(), rest.next()).ok_or_else(|| UrlError::Invalid {
                reason: "% is not followed by two hexadecimal digits".to_owned(),
            })?,
            byte => *byte,
        };
        if byte == 0 {
            return Err(UrlError::Invalid {
                reason: "a path with a zero byte".to_owned(),
            });
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

fn escaped(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let value = (digit(high?)? << 4) | digit(low?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
