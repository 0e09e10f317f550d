//! Does one workload of the codec as often as it is told, for `cargo xtask ratios` to compare it with another.
//!
//! `ratios` prints the names of the workloads, two in each line, the second being what the first is compared with;
//! `ratios <workload> <done>` does one of them so many times.
#![expect(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

use std::{env, error::Error};

use bytes::{Bytes, BytesMut};
use spell_benches::{Large, Sample, frames::TEXT};
use spell_message::Format;
use spell_serializer::AnySerializer;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [workload, done] = arguments.as_slice() else {
        list();
        return Ok(());
    };
    let done = done.parse()?;
    let words: Vec<&str> = workload.split('/').collect();
    match words.as_slice() {
        [message, format, size, what] => {
            let sample = Sample::ALL.into_iter().find(|it| it.name() == *message);
            let sample = sample.ok_or("no such message")?;
            small(sample, &serializer(format)?, size.parse()?, what, done)
        }
        [payload, format, what] => {
            let large = Large::ALL.into_iter().find(|it| it.name() == *payload);
            large_event(
                large.ok_or("no such payload")?,
                &serializer(format)?,
                what,
                done,
            )
        }
        _ => Err(format!("there is no workload `{workload}`").into()),
    }
}

fn list() {
    for message in Sample::ALL.map(Sample::name) {
        for format in ["msgpack", "json"] {
            for size in [16, 1024] {
                let workload = format!("{message}/{format}/{size}");
                println!("{workload}/encode {workload}/encode-alone");
                println!("{workload}/decode {workload}/decode-alone");
            }
        }
    }
    for payload in Large::ALL.map(Large::name) {
        for format in ["msgpack", "cbor", "json"] {
            let workload = format!("{payload}/{format}");
            println!("{workload}/find {workload}/decode");
        }
    }
}

fn serializer(name: &str) -> Result<AnySerializer, Failure> {
    let format = match name {
        "msgpack" => Format::MsgPack,
        "cbor" => Format::Cbor,
        "json" => Format::Json,
        _ => return Err(format!("there is no format `{name}`").into()),
    };
    let serializer = AnySerializer::all()
        .into_iter()
        .find(|it| it.format() == format);
    Ok(serializer.ok_or("it is not compiled in")?)
}

fn small(
    sample: Sample,
    serializer: &AnySerializer,
    size: usize,
    what: &str,
    done: usize,
) -> Result<(), Failure> {
    let format = serializer.format();
    let text = TEXT.repeat(size / TEXT.len());
    let mut out = BytesMut::with_capacity(ROOM);
    sample.encode(serializer, &text, &mut out)?;
    let frame = out.split().freeze();
    let mut alone = Vec::with_capacity(ROOM);
    for _ in 0..done {
        out.clear();
        alone.clear();
        match what {
            "encode" => sample.encode(serializer, &text, &mut out)?,
            "encode-alone" => sample.encode_alone(format, &text, &mut alone)?,
            "decode" => drop(sample.decode(serializer, &frame)?),
            "decode-alone" => sample.decode_alone(format, &frame)?,
            _ => return Err(format!("nobody can `{what}`").into()),
        }
    }
    Ok(())
}

fn large_event(
    large: Large,
    serializer: &AnySerializer,
    what: &str,
    done: usize,
) -> Result<(), Failure> {
    let frame: Bytes = large.event(serializer)?;
    for _ in 0..done {
        match what {
            "find" => drop(large.find(serializer, &frame)?),
            "decode" => large.decode(serializer, &frame)?,
            _ => return Err(format!("nobody can `{what}`").into()),
        }
    }
    Ok(())
}

/// For each message, in bytes.
const ROOM: usize = 4096;
