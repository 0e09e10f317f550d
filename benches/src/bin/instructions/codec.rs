//! Messages from and to bytes, and their arguments.

use std::{error::Error, hint::black_box};

use bytes::BytesMut;
use spell_benches::frames;
use spell_message::{Message, RequestId};
use spell_serializer::{AnySerializer, PayloadExt};

/// An EVENT and its arguments, from the frame.
pub(crate) fn decode_event(serializer: &AnySerializer, done: usize) -> Result<(), Box<dyn Error>> {
    let frame = frames::event(serializer)?;
    for _ in 0..done {
        let Message::Event(event) = serializer.decode(black_box(&frame))? else {
            return Err("no EVENT".into());
        };
        let arguments: (u64, String) = event.payload.parse_args()?;
        black_box((event, arguments));
    }
    Ok(())
}

/// A CALL and its arguments, into a frame.
pub(crate) fn encode_call(serializer: &AnySerializer, done: usize) -> Result<(), Box<dyn Error>> {
    let mut frame = BytesMut::with_capacity(4096);
    for _ in 0..done {
        frame.clear();
        let message = frames::call_message(serializer, RequestId::MIN)?;
        serializer.encode(black_box(&message), &mut frame)?;
        black_box(&frame);
    }
    Ok(())
}
