use super::*;

/// Takes some bytes in each write, all slices of it in one.
#[derive(Default)]
struct Sink {
    taken: Vec<u8>,
    writes: usize,
    most: usize,
}

impl Sink {
    fn taking(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        let all = slices.iter().flat_map(|slice| slice.iter().copied());
        let before = self.taken.len();
        let most = self.most;
        self.taken.extend(all.take(most));
        let count = self.taken.len() - before;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

async fn flush(buffer: &mut SendBuffer, io: &mut Sink) {
    std::future::poll_fn(|cx| buffer.poll_flush(io, cx))
        .await
        .unwrap();
}

fn put(buffer: &mut SendBuffer, header: u8, payload: &[u8]) -> Vec<u8> {
    buffer.tail(1).push(header);
    buffer.put(Bytes::copy_from_slice(payload), true);
    [&[header], payload].concat()
}

#[tokio::test]
async fn frames_go_out_in_order_whatever_a_write_takes() {
    for most in [1, 7, LARGE, usize::MAX] {
        let mut io = Sink::taking(most);
        let mut buffer = SendBuffer::default();
        let mut expected = Vec::new();
        for (number, size) in (0..).zip([1, LARGE, 3, 0, LARGE - 1, 2 * LARGE, LARGE, 5]) {
            expected.extend(put(&mut buffer, number, &vec![number + 100; size]));
        }
        assert_eq!(buffer.len(), expected.len());
        flush(&mut buffer, &mut io).await;
        assert!(io.taken == expected, "{most} bytes a write");
        assert_eq!(buffer.len(), 0);
    }
}

#[tokio::test]
async fn a_burst_with_large_payloads_is_one_write() {
    let mut io = Sink::taking(usize::MAX);
    let mut buffer = SendBuffer::default();
    for size in [10, LARGE, 10, LARGE, 10] {
        put(&mut buffer, 0, &vec![1; size]);
    }
    flush(&mut buffer, &mut io).await;
    assert_eq!(io.writes, 1);
}

#[test]
fn a_large_payload_is_not_copied() {
    let mut buffer = SendBuffer::default();
    let payload = Bytes::from(vec![1; LARGE]);
    buffer.tail(1).push(0);
    buffer.put(payload.clone(), true);
    assert_eq!(buffer.large.back().unwrap().as_ptr(), payload.as_ptr());
    // Where each slice would be a write of its own, it is.
    buffer.put(payload, false);
    assert_eq!(buffer.large.len(), 2);
    assert_eq!(buffer.tail.len(), LARGE);
}

#[tokio::test]
async fn nothing_but_a_small_buffer_is_kept() {
    let mut io = Sink::taking(usize::MAX);
    let mut buffer = SendBuffer::default();
    for size in [10, KEPT - 1, 10_000, LARGE] {
        put(&mut buffer, 0, &vec![1; size]);
        flush(&mut buffer, &mut io).await;
        assert!(buffer.tail.capacity() <= KEPT, "{size}");
        assert_eq!(buffer.large.capacity(), 0);
    }
}

#[tokio::test]
async fn it_does_not_grow_while_there_is_always_something_left() {
    let mut buffer = SendBuffer::default();
    let mut expected = Vec::new();
    let mut written = Vec::new();
    for number in 0..200 {
        expected.extend(put(&mut buffer, number, &[number; 99]));
        if number > 0 {
            let rest: Vec<u8> = buffer.tail[buffer.written..][..100].to_vec();
            written.extend(rest);
            buffer.advance(100);
        }
        assert!(buffer.tail.len() <= 400, "{}", buffer.tail.len());
    }
    let mut io = Sink::taking(usize::MAX);
    flush(&mut buffer, &mut io).await;
    written.extend(io.taken);
    assert!(written == expected);
}

#[test]
fn a_burst_grows_it_a_few_times_only() {
    let mut buffer = SendBuffer::default();
    let mut capacities = vec![0];
    for _ in 0..600 {
        let tail = buffer.tail(104);
        tail.extend_from_slice(&[0; 4]);
        buffer.put(Bytes::from_static(&[1; 100]), true);
        let capacity = buffer.tail.capacity();
        if capacities.last() != Some(&capacity) {
            capacities.push(capacity);
        }
    }
    assert_eq!(capacities[1], KEPT, "one frame, and the other side answers");
    assert!(capacities.len() <= 5, "{capacities:?}");
}
