use std::iter;

use super::*;

/// What `next` finds while `wire` comes in in pieces of these sizes, again and again.
pub(crate) fn in_pieces<T, E>(
    mut wire: &[u8],
    pieces: &[usize],
    buffer: &mut ReceiveBuffer,
    mut next: impl FnMut(&mut ReceiveBuffer) -> Result<Option<T>, E>,
) -> Result<Vec<T>, E> {
    let mut found = Vec::new();
    for piece in pieces.iter().cycle() {
        if wire.is_empty() {
            break;
        }
        let (piece, rest) = wire.split_at((*piece).min(wire.len()));
        wire = rest;
        buffer.extend(piece);
        while let Some(item) = next(buffer)? {
            found.push(item);
        }
    }
    Ok(found)
}

fn taken(buffer: &mut ReceiveBuffer, length: usize) -> Option<Bytes> {
    buffer.take(length, |_bytes| ())
}

#[test]
fn payloads_of_one_read_share_its_memory() {
    let mut buffer = ReceiveBuffer::default();
    buffer.extend(b"0onetwo");
    buffer.skip(1);
    let begin = buffer.ahead().as_ptr();
    let one = taken(&mut buffer, 3).unwrap();
    let two = taken(&mut buffer, 3).unwrap();
    assert_eq!((&one[..], &two[..]), (&b"one"[..], &b"two"[..]));
    assert_eq!(one.as_ptr(), begin);
    assert_eq!(two.as_ptr(), begin.wrapping_add(3));
}

#[test]
fn a_payload_is_changed_where_it_is() {
    let mut buffer = ReceiveBuffer::default();
    buffer.extend(b"ab");
    let upper = |bytes: &mut [u8]| bytes.make_ascii_uppercase();
    assert_eq!(buffer.take(1, upper).unwrap(), "A");
    assert_eq!(buffer.take(2, upper), None);
    buffer.extend(b"cd");
    assert_eq!(buffer.take(2, upper).unwrap(), "BC");
    assert_eq!(buffer.ahead(), b"d");
}

#[test]
fn what_was_taken_leaves_no_memory() {
    let mut buffer = ReceiveBuffer::default();
    buffer.extend(&[0; 1000]);
    buffer.skip(4);
    assert!(taken(&mut buffer, 996).is_some());
    assert_eq!(buffer.chunk.capacity(), 0);
    buffer.extend(&[0; 4]);
    buffer.skip(4);
    assert_eq!(taken(&mut buffer, 0).unwrap(), "");
    assert_eq!(buffer.chunk.capacity(), 0);
}

#[test]
fn a_declared_length_takes_no_memory() {
    for begin in [&b""[..], b"begin"] {
        let mut buffer = ReceiveBuffer::default();
        buffer.extend(begin);
        assert!(taken(&mut buffer, usize::MAX).is_none());
        let partial = buffer.partial.unwrap();
        assert!(partial.bytes.capacity() <= begin.len() + AHEAD);
    }
}

#[test]
fn a_payload_in_pieces_has_at_most_twice_what_came_in_and_ends_with_its_size() {
    let length = 1_000_000;
    let mut buffer = ReceiveBuffer::default();
    assert!(taken(&mut buffer, length).is_none());
    for piece in iter::repeat_n([7; 1000], length / 1000) {
        assert!(taken(&mut buffer, length).is_none());
        buffer.extend(&piece);
        let bytes = &buffer.partial.as_ref().unwrap().bytes;
        assert!(bytes.capacity() <= bytes.len() + bytes.len().max(AHEAD));
    }
    assert_eq!(buffer.partial.as_ref().unwrap().bytes.capacity(), length);
    assert_eq!(taken(&mut buffer, length).unwrap(), vec![7; length]);
}

#[tokio::test]
async fn a_large_payload_is_read_up_to_its_end_and_not_beyond() {
    let bytes = vec![7; 100_000];
    let mut io = &bytes[..];
    let mut buffer = ReceiveBuffer::default();
    let mut fill = async || {
        std::future::poll_fn(|cx| buffer.poll_fill(&mut io, cx))
            .await
            .unwrap();
        taken(&mut buffer, 90_000)
    };
    let payload = loop {
        if let Some(payload) = fill().await {
            break payload;
        }
    };
    assert_eq!(payload.len(), 90_000);
    assert!(buffer.ahead().len() + io.len() == 10_000);
}
