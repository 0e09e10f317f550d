use std::sync::Arc;

use spell_message::{Uri, message::Goodbye, options::GoodbyeDetails, reason};

use super::*;

async fn delays(policy: &mut Backoff, n: usize) -> Vec<Option<Duration>> {
    let mut delays = Vec::new();
    for _ in 0..n {
        delays.push(policy.retry(&CloseReason::Disconnected).await);
    }
    delays
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn delays_double_up_to_the_cap_below_which_they_are_drawn() {
    for _ in 0..100 {
        let mut policy = Backoff::new();
        let caps = [1, 2, 4, 8, 16, 30, 30].map(Duration::from_secs);
        for (delay, cap) in delays(&mut policy, 7).await.into_iter().zip(caps) {
            assert!(delay.unwrap() <= cap);
        }
    }
}

/// The load on a router that 10 000 clients lost at once: of each retry, how many come in the
/// busiest second of those it is spread over; and, once delays have reached their cap, how many of
/// all retries.
#[test]
fn a_crowd_that_lost_its_router_comes_back_spread_out() {
    const CLIENTS: u32 = 10_000;
    const CAPS: [u32; 7] = [1, 2, 4, 8, 16, 30, 30];
    // By then the first retries, close together, are over.
    const STEADY: std::ops::Range<usize> = 80..120;
    let now = Instant::now();
    for seed in 0..100 {
        fastrand::seed(seed);
        let mut each = CAPS.map(|cap| vec![0_u32; usize::try_from(cap).unwrap()]);
        let mut all = [0_u32; STEADY.end];
        for _ in 0..CLIENTS {
            let mut policy = Backoff::new();
            let mut time = Duration::ZERO;
            let mut retries = each.iter_mut();
            while time.as_secs() < 120 {
                let delay = policy.next(now).unwrap();
                assert!(delay.as_secs() < 30);
                if let Some(seconds) = retries.next() {
                    seconds[usize::try_from(delay.as_secs()).unwrap()] += 1;
                }
                time += delay;
                if let Some(second) = all.get_mut(usize::try_from(time.as_secs()).unwrap()) {
                    *second += 1;
                }
            }
        }
        for (seconds, cap) in each.iter().zip(CAPS) {
            let busiest = *seconds.iter().max().unwrap();
            assert!(busiest * cap <= 2 * CLIENTS, "seed {seed}: {seconds:?}");
        }
        let steady = &all[STEADY];
        let mean = steady.iter().sum::<u32>() / u32::try_from(steady.len()).unwrap();
        let busiest = *steady.iter().max().unwrap();
        assert!(busiest <= 2 * mean, "seed {seed}: {steady:?}");
    }
}

/// The load on a router that 10 000 clients lost at once and that is away for some time, from the
/// first second after the loss to the last return, where the first delay is as long as the longest.
#[test]
fn a_crowd_that_takes_its_time_from_the_first_delay_on_is_spread_out_all_the_while() {
    const CLIENTS: u32 = 10_000;
    for away in [0, 10, 60].map(Duration::from_secs) {
        for seed in 0..100 {
            fastrand::seed(seed);
            let now = Instant::now();
            let mut attempts: Vec<u32> = Vec::new();
            for _ in 0..CLIENTS {
                let mut policy = Backoff::new().first(Duration::from_secs(30));
                let mut time = Duration::ZERO;
                loop {
                    time += policy.next(now).unwrap();
                    let second = usize::try_from(time.as_secs()).unwrap();
                    attempts.resize(attempts.len().max(second + 1), 0);
                    attempts[second] += 1;
                    if time >= away {
                        break;
                    }
                }
            }
            let mean = attempts.iter().sum::<u32>() / u32::try_from(attempts.len()).unwrap();
            let busiest = *attempts.iter().max().unwrap();
            assert!(
                busiest <= 2 * mean,
                "away for {away:?}, seed {seed}: {attempts:?}"
            );
        }
    }
}

#[tokio::test]
async fn attempts_are_bounded_and_counted_anew_after_a_stable_session() {
    let mut policy = Backoff::constant(SECOND).attempts(2);
    assert_eq!(
        delays(&mut policy, 3).await,
        [Some(SECOND), Some(SECOND), None]
    );
    assert!(!policy.lasted(Duration::from_secs(9)));
    assert_eq!(delays(&mut policy, 1).await, [None]);
    assert!(policy.lasted(Duration::from_secs(10)));
    assert_eq!(delays(&mut policy, 1).await, [Some(SECOND)]);
}

#[tokio::test(start_paused = true)]
async fn the_time_without_a_stable_session_is_bounded_and_counted_anew_after_one() {
    let budget = Duration::from_millis(2500);
    let mut policy = Backoff::constant(SECOND).budget(budget);
    for rest in [SECOND, SECOND, Duration::from_millis(500)] {
        assert_eq!(delays(&mut policy, 1).await, [Some(rest)]);
        tokio::time::advance(rest).await;
        policy.lasted(Duration::from_secs(9));
    }
    assert_eq!(delays(&mut policy, 1).await, [None]);
    policy.lasted(Duration::from_secs(10));
    assert_eq!(delays(&mut policy, 1).await, [Some(SECOND)]);
}

#[tokio::test]
async fn final_reasons_are_not_retried() {
    let mut policy = Backoff::new();
    assert_eq!(policy.retry(&CloseReason::Left).await, None);
}

#[tokio::test]
async fn a_policy_may_know_better_what_helps() {
    let killed = CloseReason::Goodbye(Arc::new(Goodbye {
        details: GoodbyeDetails::new(),
        reason: Uri::new(reason::KILLED).unwrap(),
    }));
    let mut policy = Backoff::constant(SECOND);
    assert_eq!(policy.retry(&killed).await, None);
    let mut policy = policy.on(reason::KILLED, Remedy::Retry);
    assert_eq!(policy.retry(&killed).await, Some(SECOND));
    let mut policy = policy.on(reason::KILLED, Remedy::Nothing);
    assert_eq!(policy.retry(&killed).await, None);
}
