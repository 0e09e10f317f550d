use proptest::prelude::*;

use super::*;

fn decode(octets: &[u8], role: Role) -> Result<Option<(Header, usize)>, ProtocolError> {
    Header::decode(octets, role)
}

fn detail(octets: &[u8], role: Role) -> String {
    match decode(octets, role) {
        Err(ProtocolError::WebSocket { detail }) => detail,
        other => panic!("{octets:x?} gave {other:?}"),
    }
}

/// RFC 6455, 5.7.
#[test]
fn examples_of_the_specification() {
    let text = Header {
        is_final: true,
        opcode: Opcode::Data(Data::Text),
        mask: None,
        length: 5,
    };
    let masked = Header {
        mask: Some([0x37, 0xfa, 0x21, 0x3d]),
        ..text
    };
    let binary = Header {
        opcode: Opcode::Data(Data::Binary),
        ..text
    };
    let cases: [(&[u8], Role, Header); 7] = [
        (&[0x81, 5], Role::Client, text),
        (&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d], Role::Server, masked),
        (
            &[0x01, 5],
            Role::Client,
            Header {
                is_final: false,
                ..text
            },
        ),
        (
            &[0x80, 5],
            Role::Client,
            Header {
                opcode: Opcode::Data(Data::Continuation),
                ..text
            },
        ),
        (
            &[0x89, 5],
            Role::Client,
            Header {
                opcode: Opcode::Control(Control::Ping),
                ..text
            },
        ),
        (
            &[0x82, 0x7e, 1, 0],
            Role::Client,
            Header {
                length: 256,
                ..binary
            },
        ),
        (
            &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0],
            Role::Client,
            Header {
                length: 1 << 16,
                ..binary
            },
        ),
    ];
    for (octets, role, header) in cases {
        assert_eq!(decode(octets, role), Ok(Some((header, octets.len()))));
        let mut encoded = Vec::new();
        header.encode(&mut encoded);
        assert_eq!(encoded, octets);
        for cut in 0..octets.len() {
            assert_eq!(decode(&octets[..cut], role), Ok(None));
        }
    }
}

#[test]
fn every_first_octet_is_judged_by_its_bits() {
    for first in 0..=u8::MAX {
        let allowed = match (first & 0x70, first & 0x0f) {
            (0, 0..=2) => true,
            (0, 8..=10) => first & 0x80 != 0,
            _ => false,
        };
        assert_eq!(
            decode(&[first, 0], Role::Client).is_ok(),
            allowed,
            "{first:#x}"
        );
    }
}

#[test]
fn a_control_frame_is_short_and_whole() {
    for opcode in [8, 9, 10] {
        assert!(decode(&[0x80 | opcode, 125], Role::Client).is_ok());
        for length in [126, 127] {
            assert!(detail(&[0x80 | opcode, length], Role::Client).contains("125"));
        }
        assert!(detail(&[opcode, 0], Role::Client).contains("fragments"));
    }
}

#[test]
fn clients_mask_and_servers_do_not() {
    assert!(detail(&[0x81, 5], Role::Server).contains("without mask"));
    assert!(detail(&[0x81, 0x85], Role::Client).contains("with a mask"));
}

#[test]
fn a_length_takes_no_more_octets_than_it_needs() {
    for (length, allowed) in [(125, false), (126, true), (u16::MAX, true)] {
        let [high, low] = length.to_be_bytes();
        let given = decode(&[0x82, 126, high, low], Role::Client);
        assert_eq!(given.is_ok(), allowed, "{length}");
    }
    for (length, allowed) in [
        (u64::from(u16::MAX), false),
        (1 << 16, true),
        (u64::MAX >> 1, true),
        (1 << 63, false),
    ] {
        let octets = [&[0x82, 127][..], &length.to_be_bytes()].concat();
        assert_eq!(decode(&octets, Role::Client).is_ok(), allowed, "{length}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        is_final: bool,
        key: Option<Key>,
        length in prop_oneof![0_u64..200, 65_000_u64..66_000, 0..=MAX_LENGTH],
    ) {
        let header = Header {
            is_final,
            opcode: Opcode::Data(Data::Binary),
            mask: key,
            length,
        };
        let mut octets = vec![];
        header.encode(&mut octets);
        let role = if key.is_some() { Role::Server } else { Role::Client };
        prop_assert_eq!(decode(&octets, role), Ok(Some((header, octets.len()))));
    }
}
