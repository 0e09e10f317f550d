//! What encoding and decoding each message costs, by serializer, and beside serde alone.
//!
//! `cargo bench --bench codec`

use bytes::BytesMut;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::WallTime,
};
use spell_benches::{Large, Sample, frames::TEXT, messages};
use spell_serializer::AnySerializer;

/// Each message, its arguments being encoded already and staying so.
fn envelopes(c: &mut Criterion) {
    let mut group = c.benchmark_group("envelope");
    for serializer in AnySerializer::all() {
        for (name, message) in messages(serializer.format()) {
            let mut out = BytesMut::with_capacity(ROOM);
            let subprotocol = serializer.serialization().subprotocol();
            let id = |what| BenchmarkId::new(format!("{name}/{what}"), subprotocol);
            group.bench_function(id("encode"), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    serializer.encode(&message, &mut out)
                });
            });
            let frame = out.split().freeze();
            group.bench_function(id("decode"), |bencher| {
                bencher.iter(|| serializer.decode(&frame));
            });
        }
    }
    group.finish();
}

/// Messages with arguments, from and to the user's types.
fn arguments(c: &mut Criterion) {
    for size in [16, 1024] {
        let mut group = c.benchmark_group(format!("with arguments of {size} B"));
        let text = TEXT.repeat(size / TEXT.len());
        for serializer in AnySerializer::all() {
            for sample in Sample::ALL {
                with_arguments(&mut group, sample, &serializer, &text);
            }
        }
        group.finish();
    }
}

fn with_arguments(
    group: &mut BenchmarkGroup<'_, WallTime>,
    sample: Sample,
    serializer: &AnySerializer,
    text: &str,
) {
    let format = serializer.format();
    let subprotocol = serializer.serialization().subprotocol();
    let id = |what| BenchmarkId::new(format!("{}/{what}", sample.name()), subprotocol);
    let mut out = BytesMut::with_capacity(ROOM);
    group.bench_function(id("encode"), |bencher| {
        bencher.iter(|| {
            out.clear();
            sample.encode(serializer, text, &mut out)
        });
    });
    out.clear();
    if sample.encode(serializer, text, &mut out).is_err() {
        return;
    }
    let frame = out.freeze();
    group.bench_function(id("decode"), |bencher| {
        bencher.iter(|| sample.decode(serializer, &frame));
    });
    let mut alone = Vec::with_capacity(ROOM);
    if sample.encode_alone(format, text, &mut alone).is_err() {
        return;
    }
    group.bench_function(id("encode by serde alone"), |bencher| {
        bencher.iter(|| {
            alone.clear();
            sample.encode_alone(format, text, &mut alone)
        });
    });
    group.bench_function(id("decode by serde alone"), |bencher| {
        bencher.iter(|| sample.decode_alone(format, &frame));
    });
}

/// Finding the boundaries of a payload that stays undecoded, and decoding it.
fn boundaries(c: &mut Criterion) {
    let mut group = c.benchmark_group("1 MiB");
    for serializer in AnySerializer::all() {
        for large in Large::ALL {
            let Ok(frame) = large.event(&serializer) else {
                continue;
            };
            group.throughput(Throughput::Bytes(u64::try_from(frame.len()).unwrap_or(0)));
            let subprotocol = serializer.serialization().subprotocol();
            let id = |what| BenchmarkId::new(format!("{}/{what}", large.name()), subprotocol);
            group.bench_function(id("find"), |bencher| {
                bencher.iter(|| large.find(&serializer, &frame));
            });
            group.bench_function(id("decode"), |bencher| {
                bencher.iter(|| large.decode(&serializer, &frame));
            });
        }
    }
    group.finish();
}

/// For each message, in bytes.
const ROOM: usize = 4096;

criterion_group!(benches, envelopes, arguments, boundaries);
criterion_main!(benches);
