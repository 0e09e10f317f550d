use super::*;

fn refused(url: &str) -> UrlError {
    match Address::parse(url) {
        Err(error) => error,
        Ok(address) => panic!("{url} gave {address:?}"),
    }
}

#[cfg(feature = "websocket")]
fn name(url: &str) -> String {
    Address::parse(url).unwrap().endpoint.name().to_owned()
}

#[cfg(feature = "websocket")]
fn asked(url: &str) -> (String, String) {
    match Address::parse(url).unwrap().protocol {
        Protocol::WebSocket { host, resource } => (host, resource),
        Protocol::RawSocket => panic!("{url} is RawSocket"),
    }
}

#[cfg(feature = "websocket")]
#[test]
fn a_websocket_url_keeps_its_path_and_query_and_has_a_default_port() {
    assert_eq!(name("ws://Router.Example"), "ws://router.example:80");
    let cases = [
        ("ws://router.example", "router.example", "/"),
        ("ws://router.example:80/ws", "router.example", "/ws"),
        (
            "WS://router.example:8080/a%20b?realm=x&y",
            "router.example:8080",
            "/a%20b?realm=x&y",
        ),
        ("ws://[::1]:8080?q", "[::1]:8080", "/?q"),
    ];
    for (url, host, resource) in cases {
        assert_eq!(asked(url), (host.to_owned(), resource.to_owned()), "{url}");
    }
}

#[cfg(all(feature = "websocket", unix))]
#[test]
fn a_websocket_over_a_unix_socket_has_its_http_path_after_a_colon() {
    let cases = [
        ("ws+unix:/run/a.sock", "/run/a.sock", "/"),
        ("ws+unix:///run/a.sock", "/run/a.sock", "/"),
        ("ws+unix:/run/a.sock:/ws?x=1", "/run/a.sock", "/ws?x=1"),
        ("ws+unix:/run/a%3Ab.sock:/ws", "/run/a:b.sock", "/ws"),
    ];
    for (url, socket, resource) in cases {
        assert_eq!(asked(url), ("localhost".to_owned(), resource.to_owned()));
        assert_eq!(target(url), Target::Unix(socket.into()), "{url}");
    }
    assert!(matches!(
        refused("ws+unix:/run/a.sock:ws"),
        UrlError::Invalid { .. }
    ));
}

#[cfg(feature = "rawsocket")]
#[test]
fn a_rawsocket_url_needs_a_port_also_if_it_is_that_of_the_web() {
    assert_eq!(target("rs://Router.Example:80"), tcp("router.example", 80));
    assert_eq!(target("tcp://[::1]:8081/"), tcp("::1", 8081));
    assert_eq!(target("rs://127.0.0.1:8081"), tcp("127.0.0.1", 8081));
    let error = UrlError::NoPort {
        scheme: "rs".to_owned(),
    };
    assert_eq!(refused("rs://router.example"), error);
}

#[cfg(feature = "rawsocket")]
#[test]
fn a_rawsocket_url_has_no_path_query_or_fragment() {
    for (url, part) in [
        ("rs://router.example:8081/ws", "path"),
        ("rs://router.example:8081?ws", "query"),
        ("rs://router.example:8081#ws", "fragment"),
    ] {
        let scheme = "rs".to_owned();
        assert_eq!(refused(url), UrlError::Unexpected { scheme, part }, "{url}");
    }
}

#[cfg(all(feature = "rawsocket", unix))]
#[test]
fn a_unix_url_is_an_absolute_path() {
    for url in [
        "unix:/run/a.sock",
        "rs+unix:/run/a.sock",
        "unix:///run/a.sock",
    ] {
        assert_eq!(target(url), Target::Unix("/run/a.sock".into()), "{url}");
    }
    assert_eq!(
        target("unix:/run/a%20b%25.sock"),
        Target::Unix("/run/a b%.sock".into())
    );
    assert_eq!(refused("unix:a.sock"), UrlError::RelativePath);
    assert_eq!(refused("unix://host/a.sock"), UrlError::RelativePath);
    for url in ["unix:/a%2", "unix:/a%zz", "unix:/a%00"] {
        assert!(matches!(refused(url), UrlError::Invalid { .. }), "{url}");
    }
    for url in ["unix:/a?b", "unix:/a#b"] {
        assert!(matches!(refused(url), UrlError::Unexpected { .. }), "{url}");
    }
}

#[cfg(all(feature = "websocket", feature = "rawsocket"))]
#[test]
fn user_names_and_passwords_are_refused_and_not_shown() {
    for url in [
        "ws://canary@router.example/",
        "ws://me:canary@router.example/",
        "rs://me:canary@router.example:8081",
        "ws://:canary@router.example/",
    ] {
        let error = refused(url);
        assert_eq!(error, UrlError::UserInfo, "{url}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    // Broken ones as well.
    for url in [
        "ws://me:canary@",
        "ws://me:canary@router.example:port/",
        "rs://me:canary@[::1",
        "canary",
        "ws://router.example/?token=canary#x",
    ] {
        let error = refused(url);
        assert!(!format!("{error} {error:?}").contains("canary"), "{url}");
    }
}

#[cfg(feature = "websocket")]
#[test]
fn the_query_is_not_shown() {
    let url = "ws://router.example/wamp?token=canary";
    let builder = crate::ConnectorBuilder::new(url).unwrap();
    let connector = crate::websocket::WebSocketConnector::new(url).unwrap();
    assert!(!format!("{builder:?} {connector:?}").contains("canary"));
}

#[test]
fn an_unknown_scheme_is_named() {
    let error = UrlError::UnknownScheme {
        scheme: "http".to_owned(),
    };
    assert_eq!(refused("http://router.example/"), error);
    assert!(matches!(
        refused("router.example"),
        UrlError::Invalid { .. }
    ));
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_scheme_with_tls_is_refused_without_the_feature() {
    #[cfg(feature = "websocket")]
    let url = "wss://router.example/";
    #[cfg(not(feature = "websocket"))]
    let url = "rss://router.example:8081";
    let error = refused(url);
    assert!(
        matches!(error, UrlError::MissingFeature { feature: "tls", .. }),
        "{error:?}"
    );
}

#[cfg(not(feature = "websocket"))]
#[test]
fn websocket_is_refused_without_the_feature() {
    assert!(matches!(
        refused("ws://router.example/"),
        UrlError::MissingFeature {
            feature: "websocket",
            ..
        }
    ));
}

#[cfg(not(feature = "rawsocket"))]
#[test]
fn rawsocket_is_refused_without_the_feature() {
    assert!(matches!(
        refused("rs://router.example:8081"),
        UrlError::MissingFeature {
            feature: "rawsocket",
            ..
        }
    ));
}

fn target(url: &str) -> Target {
    Address::parse(url).unwrap().endpoint.target().clone()
}

#[cfg(feature = "rawsocket")]
fn tcp(host: &str, port: u16) -> Target {
    Target::Tcp {
        host: host.to_owned(),
        port,
    }
}
