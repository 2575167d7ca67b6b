//! Points in time, as the contract writes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::time::{Duration, SystemTime};

/// RFC 3339, UTC, milliseconds: `2026-11-22T09:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

impl From<SystemTime> for Timestamp {
    /// Cuts off fractions of a millisecond, so that a time is read back unchanged. A time beyond the years −9999 to 9999
    /// becomes the first or the last of them.
    fn from(time: SystemTime) -> Self {
        let exact = jiff::Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        let millis = jiff::Timestamp::from_millisecond(exact.as_millisecond());
        Self(millis.unwrap_or(exact))
    }
}

impl Timestamp {
    /// Returns whole seconds since 1970, UTC: DynamoDB's format for the time at which a row expires.
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Returns the time from this point to a later one; zero if `later` is earlier.
    pub fn until(self, later: Self) -> Duration {
        later
            .0
            .duration_since(self.0)
            .try_into()
            .unwrap_or_default()
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Timestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_timestamp_is_written_in_utc_with_milliseconds() -> Result<(), jiff::Error> {
        let check = |millis: u64, expected: &str| {
            let exact = UNIX_EPOCH + Duration::from_millis(millis) + Duration::from_nanos(999_999);
            let time = Timestamp::from(exact);
            assert_eq!(time.to_string(), expected);
            assert_eq!(expected.parse::<Timestamp>()?, time);
            Ok(())
        };
        check(0, "1970-01-01T00:00:00.000Z")?;
        check(1_795_338_000_120, "2026-11-22T09:00:00.120Z")
    }

    #[test]
    fn a_clock_that_is_far_off_still_yields_a_time() {
        let centuries = Duration::from_hours(24 * 365 * 100);
        for (time, expected) in [
            (UNIX_EPOCH + 200 * centuries, "9999-12-30T"),
            (UNIX_EPOCH - 200 * centuries, "-009999-01-02T"),
        ] {
            let time = Timestamp::from(time).to_string();
            assert!(time.starts_with(expected), "{time}");
        }
    }
}
