//! Times of the calendar, as they stand in messages.

use std::{fmt, str::FromStr, time::SystemTime};

/// A time of the calendar. It is written as RFC 3339 (and so ISO 8601) has it, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(jiff::Timestamp);

/// To the millisecond: that is how it is written, and what was written compares equal when it is
/// read.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let time = jiff::Timestamp::try_from(time).unwrap_or_else(|_| {
            if time < SystemTime::UNIX_EPOCH {
                jiff::Timestamp::MIN
            } else {
                jiff::Timestamp::MAX
            }
        });
        let whole = jiff::Timestamp::from_millisecond(time.as_millisecond());
        Self(whole.unwrap_or(time))
    }
}

/// Any offset, any precision.
impl FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(since: Duration) -> Timestamp {
        Timestamp::from(SystemTime::UNIX_EPOCH + since)
    }

    #[test]
    fn a_timestamp_is_written_in_utc_to_the_millisecond() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (4_102_444_799, "2099-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(at(Duration::from_secs(seconds)).to_string(), text);
        }
        let fraction = at(Duration::from_nanos(1_999_999));
        assert_eq!(fraction.to_string(), "1970-01-01T00:00:00.001Z");
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let time = at(Duration::new(1_700_000_000, 123_456_789));
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn a_time_may_be_given_with_any_offset_and_precision() {
        let time = at(Duration::from_secs(1_700_000_000));
        for text in ["2023-11-14T22:13:20Z", "2023-11-15T00:13:20.000000+02:00"] {
            assert_eq!(text.parse::<Timestamp>().unwrap(), time);
        }
        let later: Timestamp = "2023-11-14T22:13:20.0000001Z".parse().unwrap();
        assert!(later > time);
    }

    #[test]
    fn what_names_no_moment_is_refused() {
        for text in ["", "now", "2023-11-14", "2023-11-14T22:13:20", "1700000000"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_clock_that_is_far_off_still_shows_some_time() {
        let distant = Duration::from_secs(400_000_000_000);
        assert!(at(distant).to_string().starts_with("9999-"));
        if let Some(before) = SystemTime::UNIX_EPOCH.checked_sub(distant) {
            assert!(Timestamp::from(before).to_string().starts_with("-009999-"));
        }
    }
}
