//! Time as the core sees it: values that the caller hands in.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// A point on the caller's clock, in microseconds since an epoch of the caller's choice.
///
/// Only differences matter, so any monotonic clock will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Moment(u64);

impl Moment {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// A moment so many microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The moment `span` later; the end of time if that is later than can be expressed.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// The time from `earlier` until this moment; zero if `earlier` is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// A wall-clock second, as seconds since 1970-01-01T00:00:00Z.
///
/// Shown, stored and read in the form of RFC 3339 §5.6, always in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u64);

/// A text is no date that a plan can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a date like 2026-11-23 or 2026-11-23T12:00:00Z")]
pub struct DateError {
    /// What was given.
    pub text: String,
}

impl Date {
    /// The last second that has four digits of year.
    const LAST: u64 = 253_402_300_799;

    /// The date so many seconds after 1970; the year 9999 is the last.
    pub const fn from_unix(seconds: u64) -> Self {
        Self(if seconds > Self::LAST { Self::LAST } else { seconds })
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// The whole day it is in, counted from 1970.
    pub const fn day(self) -> u64 {
        self.0 / 86_400
    }

    /// The form of a message's header and of a trace line, in UTC (RFC 5322 §3.3).
    pub fn to_rfc_5322(self) -> String {
        let (year, month, day) = civil(self.day());
        let name = |names: &[&'static str], at: u64| {
            usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
        };
        // 1970 began on a Thursday.
        let (weekday, month) = (name(&WEEKDAYS, (self.day() + 4) % 7), name(&MONTHS, month - 1));
        let second = self.0 % 86_400;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{weekday}, {day} {month} {year} {hour:02}:{minute:02}:{:02} +0000", second % 60)
    }
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.day());
        let second = self.0 % 86_400;
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
    }
}

impl core::str::FromStr for Date {
    type Err = DateError;

    /// Reads `2026-11-23` (the end of that day) or `2026-11-23T12:00:00Z`.
    fn from_str(text: &str) -> Result<Self, DateError> {
        parse(text).ok_or_else(|| DateError { text: text.into() })
    }
}

fn parse(text: &str) -> Option<Date> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, time.strip_suffix('Z')?),
        None => (text, "23:59:59"),
    };
    let [year, month, day] = three(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = three(time, ':', [2, 2, 2])?;
    let days = days(year, month, day)?;
    (hour < 24 && minute < 60 && second < 60)
        .then(|| Date(days * 86_400 + hour * 3_600 + minute * 60 + second))
}

fn three(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut read = |width: usize| {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|b| b.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    };
    let [first, second, third] = widths;
    let numbers = [read(first)?, read(second)?, read(third)?];
    parts.next().is_none().then_some(numbers)
}

/// Days since 1970 of a civil date; `None` if there is no such day.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    // Years that begin in March put the leap day last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let count = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    let days = count - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let (month, carry) = if m < 10 { (m + 3, 0) } else { (m - 9, 1) };
    (era * 400 + year_of_era + carry, month, day)
}

#[cfg(feature = "serde")]
impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn dates_are_shown_and_read_as_rfc_3339() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_473_834, "2026-11-23T22:43:54Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(Date::from_unix(unix).to_string(), text);
            assert_eq!(text.parse(), Ok(Date::from_unix(unix)));
        }
        assert_eq!("2026-11-23".parse::<Date>().unwrap().to_string(), "2026-11-23T23:59:59Z");
    }

    #[test]
    fn dates_have_the_form_of_a_header() {
        for (unix, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_795_473_834, "Mon, 23 Nov 2026 22:43:54 +0000"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(Date::from_unix(unix).to_rfc_5322(), text);
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        for text in
            ["2026-02-29", "2026-13-01", "26-01-01", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "", "x"]
        {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_saturate() {
        assert_eq!(Moment::from_micros(u64::MAX).after(Duration::MAX), Moment::from_micros(u64::MAX));
        assert_eq!(Moment::ZERO.since(Moment::from_micros(5)), Duration::ZERO);
    }
}
