use std::{io::Read, net::TcpStream, os::unix::net::UnixStream};

use super::*;

#[test]
fn a_started_crossbar_listens_everywhere_and_ends_with_its_value() {
    let Some(program) = std::env::var_os("SPELL_CROSSBAR") else {
        notice("SKIPPED the start of Crossbar.io: SPELL_CROSSBAR is not set");
        return;
    };
    let crossbar = Crossbar::start(Path::new(&program)).unwrap();
    let all = [
        crossbar.anonymous().clone(),
        crossbar.authenticated().clone(),
    ];
    let mut connections: Vec<Box<dyn Read>> = Vec::new();
    for addresses in &all {
        connections.push(Box::new(
            TcpStream::connect((Ipv4Addr::LOCALHOST, addresses.websocket)).unwrap(),
        ));
        connections.push(Box::new(
            TcpStream::connect((Ipv4Addr::LOCALHOST, addresses.rawsocket)).unwrap(),
        ));
        connections.push(Box::new(UnixStream::connect(&addresses.unix).unwrap()));
    }
    assert!(crossbar.python().exists());
    assert!(
        std::fs::read_to_string(crossbar.log())
            .unwrap()
            .contains("Crossbar.io")
    );

    drop(crossbar);
    for mut connection in connections {
        // It ends when the process that had it open is gone, cleanly or not.
        assert!(matches!(connection.read(&mut [0]), Ok(0) | Err(_)));
    }
    for addresses in &all {
        TcpStream::connect((Ipv4Addr::LOCALHOST, addresses.websocket)).unwrap_err();
        UnixStream::connect(&addresses.unix).unwrap_err();
    }
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
fn ports_are_free_and_different() {
    let ports = free_ports().unwrap();
    for (place, port) in ports.iter().enumerate() {
        assert!(!ports[..place].contains(port), "{ports:?}");
        TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap();
    }
}
