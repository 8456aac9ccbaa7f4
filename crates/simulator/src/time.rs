//! Times as the real service writes them.

use jiff::{Timestamp, tz::TimeZone};

/// Go's `time.Time.String()`, with milliseconds: `2021-08-03 15:20:29.008 +0000 UTC`. A time that was never set is Go's
/// zero time.
pub(crate) fn go(time: Option<Timestamp>) -> String {
    time.map_or_else(
        || "0001-01-01 00:00:00.000 +0000 UTC".into(),
        |time| time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.3f +0000 UTC").to_string(),
    )
}

/// Without a zone: `2009-11-10T23:00:00`.
pub(crate) fn zoneless(time: Option<Timestamp>) -> String {
    time.map_or_else(
        || "0001-01-01T00:00:00".into(),
        |time| time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    )
}

/// RFC 3339, as databases have it: `2023-05-10T09:01:02Z`.
pub(crate) fn rfc3339(time: Option<Timestamp>) -> String {
    zoneless(time) + "Z"
}
