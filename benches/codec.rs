//! What encoding and decoding each message costs, by serializer.
//!
//! `cargo bench --bench codec`

use bytes::{Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use spell_benches::messages;
use spell_serializer::{AnySerializer, PayloadExt, payload};

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for serializer in AnySerializer::all() {
        for (name, message) in messages(serializer.format()) {
            let mut out = BytesMut::with_capacity(4096);
            let id = BenchmarkId::new(name, serializer.serialization().subprotocol());
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    out.clear();
                    serializer.encode(&message, &mut out)
                });
            });
        }
    }
    group.finish();
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for serializer in AnySerializer::all() {
        for (name, message) in messages(serializer.format()) {
            let mut out = BytesMut::new();
            if serializer.encode(&message, &mut out).is_err() {
                continue;
            }
            let frame = out.freeze();
            let id = BenchmarkId::new(name, serializer.serialization().subprotocol());
            group.bench_function(id, |bencher| bencher.iter(|| serializer.decode(&frame)));
        }
    }
    group.finish();
}

/// Arguments: from the user's type to bytes, and back.
fn arguments(c: &mut Criterion) {
    let mut group = c.benchmark_group("arguments");
    for serializer in AnySerializer::all() {
        let format = serializer.format();
        let name = serializer.serialization().subprotocol();
        let args = ("Hello", 42_u32);
        group.bench_function(BenchmarkId::new("encode", name), |bencher| {
            bencher.iter(|| payload::encode(format, &args, None::<&()>));
        });
        let Ok(encoded) = payload::encode(format, &args, None::<&()>) else {
            continue;
        };
        group.bench_function(BenchmarkId::new("decode", name), |bencher| {
            bencher.iter(|| encoded.parse_args::<(String, u32)>());
        });
    }
    group.finish();
}

/// Finding the boundaries of a payload that stays undecoded.
fn boundaries(c: &mut Criterion) {
    let mut group = c.benchmark_group("boundaries of 1 MiB");
    for serializer in AnySerializer::all() {
        let Some(frame) = large_event(&serializer) else {
            continue;
        };
        group.throughput(Throughput::Bytes(u64::try_from(frame.len()).unwrap_or(0)));
        let name = serializer.serialization().subprotocol();
        group.bench_function(name, |bencher| bencher.iter(|| serializer.decode(&frame)));
    }
    group.finish();
}

/// An EVENT with about 1 MiB of small strings.
fn large_event(serializer: &AnySerializer) -> Option<Bytes> {
    let strings = vec!["a string of 32 bytes for a bench"; 1 << 15];
    let payload = payload::encode(serializer.format(), &strings, None::<&()>).ok()?;
    let mut out = BytesMut::new();
    let event = spell_benches::event(payload);
    serializer.encode(&event, &mut out).ok()?;
    Some(out.freeze())
}

criterion_group!(benches, encode, decode, arguments, boundaries);
criterion_main!(benches);
