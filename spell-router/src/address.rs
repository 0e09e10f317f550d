//! URLs to listen on.

use std::path::PathBuf;

use crate::ListenError;

/// What a URL says of where to listen, and for what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: &'static str,
    pub(crate) protocols: Protocols,
    pub(crate) tls: bool,
    pub(crate) place: Place,
}

/// Which transports are spoken at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocols {
    WebSocket,
    RawSocket,
    Both,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp {
        /// As it stands in the URL, brackets of an IPv6 address included.
        host: String,
        port: u16,
        /// What follows the port. Clients may ask for any path, so it matters to nobody else.
        rest: String,
    },
    Unix(PathBuf),
}

/// Scheme, transports, TLS, Unix socket.
const SCHEMES: &[(&str, Protocols, bool, bool)] = &[
    ("ws", Protocols::WebSocket, false, false),
    ("wss", Protocols::WebSocket, true, false),
    ("rs", Protocols::RawSocket, false, false),
    ("tcp", Protocols::RawSocket, false, false),
    ("rss", Protocols::RawSocket, true, false),
    ("tcps", Protocols::RawSocket, true, false),
    ("ws+rs", Protocols::Both, false, false),
    ("wss+rss", Protocols::Both, true, false),
    ("unix", Protocols::RawSocket, false, true),
    ("rs+unix", Protocols::RawSocket, false, true),
    ("ws+unix", Protocols::WebSocket, false, true),
];

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, ListenError> {
        let invalid = |reason| ListenError::Url { reason };
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| invalid("it has no scheme"))?;
        let mut schemes = SCHEMES.iter();
        let known = schemes.find(|(name, ..)| name.eq_ignore_ascii_case(scheme));
        let Some(&(scheme, protocols, tls, unix)) = known else {
            let scheme = scheme.escape_debug().take(32).collect();
            return Err(ListenError::UnknownScheme { scheme });
        };
        for (feature, compiled_in, needed) in [
            (
                "websocket",
                cfg!(feature = "websocket"),
                protocols != Protocols::RawSocket,
            ),
            (
                "rawsocket",
                cfg!(feature = "rawsocket"),
                protocols != Protocols::WebSocket,
            ),
            ("tls", cfg!(feature = "tls"), tls),
        ] {
            if needed && !compiled_in {
                return Err(ListenError::MissingFeature { scheme, feature });
            }
        }
        let place = if unix {
            Place::unix(rest)
        } else {
            Place::tcp(rest)
        };
        Ok(Self {
            scheme,
            protocols,
            tls,
            place: place.map_err(invalid)?,
        })
    }
}

impl Place {
    fn tcp(rest: &str) -> Result<Self, &'static str> {
        let rest = rest
            .strip_prefix("//")
            .ok_or("// is missing after the scheme")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("it has a user name");
        }
        let (host, port) = authority.rsplit_once(':').ok_or("it has no port")?;
        if host.is_empty() || host.contains(':') && !host.starts_with('[') {
            return Err("its host is not valid");
        }
        Ok(Self::Tcp {
            host: host.to_owned(),
            port: port.parse().map_err(|_| "its port is not valid")?,
            rest: rest.to_owned(),
        })
    }

    fn unix(rest: &str) -> Result<Self, &'static str> {
        if !cfg!(unix) {
            return Err("this platform has no Unix sockets");
        }
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if !path.starts_with('/') {
            return Err("the path of a Unix socket must be absolute");
        }
        if path.contains(['%', '?', '#', ':', '\0']) {
            // They have a meaning in the URL that a client dials.
            return Err("the path of a Unix socket must not contain %, ?, # or :");
        }
        Ok(Self::Unix(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(url: &str) -> String {
        Address::parse(url).unwrap_err().to_string()
    }

    #[cfg(all(feature = "websocket", feature = "rawsocket"))]
    #[test]
    fn urls_say_where_and_what() {
        for (url, protocols, host, port, rest) in [
            ("ws://127.0.0.1:0", Protocols::WebSocket, "127.0.0.1", 0, ""),
            (
                "WS://localhost:80/ws",
                Protocols::WebSocket,
                "localhost",
                80,
                "/ws",
            ),
            ("rs://[::1]:8081", Protocols::RawSocket, "[::1]", 8081, ""),
            ("ws+rs://0.0.0.0:1/", Protocols::Both, "0.0.0.0", 1, "/"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(
                (address.protocols, address.tls),
                (protocols, false),
                "{url}"
            );
            let place = Place::Tcp {
                host: host.to_owned(),
                port,
                rest: rest.to_owned(),
            };
            assert_eq!(address.place, place, "{url}");
        }
    }

    #[cfg(all(unix, feature = "rawsocket", feature = "websocket"))]
    #[test]
    fn a_unix_socket_has_an_absolute_path() {
        for url in [
            "unix:/run/x",
            "unix:///run/x",
            "rs+unix:/run/x",
            "ws+unix:/run/x",
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.place, Place::Unix("/run/x".into()), "{url}");
        }
        assert!(reason("unix:run/x").contains("absolute"));
        assert!(reason("unix:/run/%41").contains('%'));
    }

    #[test]
    fn a_url_needs_a_known_scheme() {
        assert!(reason("127.0.0.1").contains("no scheme"));
        assert!(reason("http://127.0.0.1:80").contains("http"));
    }

    #[cfg(feature = "websocket")]
    #[test]
    fn what_is_wrong_with_a_url_is_said() {
        assert!(reason("ws:127.0.0.1:80").contains("//"));
        assert!(reason("ws://127.0.0.1").contains("no port"));
        assert!(reason("ws://127.0.0.1:65536").contains("port"));
        assert!(reason("ws://::1:80").contains("host"));
        assert!(reason("ws://me:secret@127.0.0.1:80").contains("user name"));
    }

    #[cfg(all(feature = "websocket", not(feature = "tls")))]
    #[test]
    fn tls_without_the_feature_is_an_error_and_never_plain_text() {
        assert!(reason("wss://127.0.0.1:0").contains("feature `tls`"));
    }
}
