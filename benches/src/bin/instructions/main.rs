//! Does one workload as often as it is told, for `cargo xtask instructions` to count the instructions.
//!
//! `instructions` prints the names of the workloads; `instructions <workload> <prepared> <done>` prepares so many
//! operations and does so many of them. Everything else is the same in two runs that differ in the last number only.
#![expect(
    clippy::print_stdout,
    reason = "a command line program talks to its user"
)]

mod codec;
mod engine;
mod router;

use std::{env, error::Error, io};

use spell_message::RequestId;
use spell_serializer::{AnySerializer, Cbor, Json, MsgPack};
use tokio::runtime::{self, Runtime};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [workload, prepared, done] = arguments.as_slice() else {
        print!("{WORKLOADS}");
        return Ok(());
    };
    run(workload, prepared.parse()?, done.parse()?)
}

fn run(workload: &str, prepared: u64, done: usize) -> Result<(), Box<dyn Error>> {
    let (json, cbor) = (Json::new().into(), Cbor::new().into());
    let msgpack = AnySerializer::from(MsgPack::new());
    // Others have ids of their own.
    let all = prepared.saturating_add(u64::try_from(OTHERS)?);
    let ids = (1..=all).map(RequestId::new);
    let ids: Vec<RequestId> = ids.collect::<Result<_, _>>()?;
    match workload {
        "decode-event-json" => codec::decode_event(&json, done),
        "decode-event-msgpack" => codec::decode_event(&msgpack, done),
        "decode-event-cbor" => codec::decode_event(&cbor, done),
        "encode-call-json" => codec::encode_call(&json, done),
        "encode-call-msgpack" => codec::encode_call(&msgpack, done),
        "encode-call-cbor" => codec::encode_call(&cbor, done),
        "engine-call" => engine::call(&msgpack, &ids, done, 0),
        "engine-call-among" => engine::call(&msgpack, &ids, done, OTHERS),
        "engine-event" => engine::event(&msgpack, &ids, done, 0),
        "engine-event-among" => engine::event(&msgpack, &ids, done, OTHERS),
        "engine-invocation" => engine::invocation(&msgpack, &ids, done),
        "router-call" => router::call(&msgpack, &ids, done, 0),
        "router-call-among" => router::call(&msgpack, &ids, done, OTHERS),
        "router-calls" => router::calls(&msgpack, &ids, done),
        "router-publications" => router::publications(&msgpack, &ids, done),
        "router-event" => router::event(&msgpack, &ids, done, 0),
        "router-event-among" => router::event(&msgpack, &ids, done, OTHERS),
        _ => Err(format!("there is no workload `{workload}`").into()),
    }
}

/// One thread, with the clock of requests.
fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_time().build()
}

/// How many others there are in the workloads that are named for it.
const OTHERS: usize = 1000;

const WORKLOADS: &str = "\
decode-event-json
decode-event-msgpack
decode-event-cbor
encode-call-json
encode-call-msgpack
encode-call-cbor
engine-call
engine-call-among
engine-event
engine-event-among
engine-invocation
router-call
router-call-among
router-calls
router-event
router-event-among
router-publications
";
