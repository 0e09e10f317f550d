use std::{io::Read, net::TcpStream, os::unix::net::UnixStream};

use super::*;
use crate::link::Link;

#[test]
fn a_started_crossbar_listens_everywhere_and_ends_with_its_value() {
    let Some(program) = program() else { return };
    let crossbar = Crossbar::start(&program).unwrap();
    let all = [
        crossbar.anonymous().clone(),
        crossbar.authenticated().clone(),
    ];
    let mut connections = Vec::new();
    for url in all.iter().flat_map(every_url) {
        connections.push(connect(url).unwrap());
    }
    assert!(python().unwrap().exists());
    assert!(
        std::fs::read_to_string(crossbar.log())
            .unwrap()
            .contains("Crossbar.io")
    );

    drop(crossbar);
    for mut connection in connections {
        wait_for_end(&mut *connection);
    }
    for url in all.iter().flat_map(every_url) {
        // A process that is killed may close what listens after all else.
        if let Ok(mut late) = connect(url) {
            wait_for_end(&mut *late);
            assert!(connect(url).is_err(), "{url}");
        }
    }
}

/// It ends when the process that had it open is gone, cleanly or not.
fn wait_for_end(connection: &mut dyn Read) {
    assert!(matches!(connection.read(&mut [0]), Ok(0) | Err(_)));
}

fn every_url(urls: &Urls) -> [&str; 3] {
    [Link::WebSocket, Link::RawSocketTcp, Link::RawSocketUnix].map(|link| urls.url(link).unwrap())
}

fn connect(url: &str) -> io::Result<Box<dyn Read>> {
    if let Some(path) = url.strip_prefix("rs+unix:") {
        return Ok(Box::new(UnixStream::connect(path)?));
    }
    let address = url.split("://").nth(1).unwrap().trim_end_matches("/ws");
    Ok(Box::new(TcpStream::connect(address)?))
}

#[test]
fn a_program_that_ends_early_is_an_error_with_its_output() {
    // `ls` does not know the options either.
    let error = Crossbar::start(Path::new("ls")).unwrap_err().to_string();
    assert!(error.contains("ended early"), "{error}");
    assert!(error.contains("--cbdir"), "{error}");
}

#[test]
fn a_missing_program_is_an_error() {
    let error = Crossbar::start(Path::new("/nonexistent/crossbar"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nonexistent/crossbar"), "{error}");
}

#[test]
fn ports_are_different() {
    // Whether they are still free only shows when they are used, as others may take them meanwhile.
    let ports = free_ports().unwrap();
    for (place, port) in ports.iter().enumerate() {
        assert!(*port > 0 && !ports[..place].contains(port), "{ports:?}");
    }
}
