//! Dates as phones and spreadsheets write them, with the day or the month first. In: such dates, in the order of their rows. Out: the order of
//! day and month, and each date as ISO 8601 has it.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use regex::{Captures, Regex};

/// A date of three numbers, and hour, minute and second.
pub(super) type Written = ([u32; 3], [u32; 3]);

static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(
        r"^(\d{1,2})[./\-](\d{1,2})[./\-](\d{4}|\d{2})(?:,?\s+(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?\s?(?:([AaPp])\.?[Mm]\.?)?)?$",
    )
    .unwrap()
});

/// A time that begins with the year and has no leading zeros, or slashes; as ISO 8601 has it, it is read without help.
static YEAR_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?$").unwrap()
});

/// Which number stands where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// 13/3/2026.
    DayMonth,
    /// 3/13/2026.
    MonthDay,
    /// 2026/3/13.
    YearFirst,
}

/// The order of dates that follow each other: told by a number above 12, else the one in which they run forward; none where neither tells.
pub(super) fn order(dates: &[Written]) -> Option<Order> {
    let any = |is: fn(&[u32; 3]) -> bool| dates.iter().any(|(date, _)| is(date));
    let back = |order: Order| {
        let times: Vec<_> = dates.iter().filter_map(|d| moment(d, order)).collect();
        times.windows(2).filter(|w| w[0] > w[1]).count()
    };
    match () {
        () if any(|d| d[0] > 31) => Some(Order::YearFirst),
        () if any(|d| d[0] > 12) => Some(Order::DayMonth),
        () if any(|d| d[1] > 12) => Some(Order::MonthDay),
        () => match back(Order::DayMonth).cmp(&back(Order::MonthDay)) {
            std::cmp::Ordering::Less => Some(Order::DayMonth),
            std::cmp::Ordering::Greater => Some(Order::MonthDay),
            std::cmp::Ordering::Equal => None,
        },
    }
}

/// The time meant, if there is such a one.
pub(super) fn moment((date, time): &Written, order: Order) -> Option<DateTime> {
    let [day, month, year] = match order {
        Order::DayMonth => *date,
        Order::MonthDay => [date[1], date[0], date[2]],
        Order::YearFirst => [date[2], date[1], date[0]],
    };
    let year = if year < 100 { 2000 + year } else { year };
    let small = |v: u32| i8::try_from(v).ok();
    let [hour, minute, second] = *time;
    DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()
}

/// An hour of a clock of twelve hours, where `half` says which half of the day.
pub(super) fn hour(hour: u32, half: Option<&str>) -> u32 {
    match half {
        None => hour,
        Some("A" | "a") => hour % 12,
        Some(_) => hour % 12 + 12,
    }
}

/// A date as a spreadsheet writes it, if the text is one. What begins with the year is no such date.
pub(super) fn written(text: &str) -> Option<Written> {
    let c = WRITTEN.captures(text.trim())?;
    let (date, [h, minute, second]) = numbers(&c);
    Some((date, [hour(h, c.get(7).map(|m| m.as_str())), minute, second]))
}

/// The six numbers of a match; 0 for what is not there.
fn numbers(c: &Captures<'_>) -> Written {
    let number = |i: usize| c.get(i).and_then(|m| m.as_str().parse::<u32>().ok()).unwrap_or_default();
    ([number(1), number(2), number(3)], [number(4), number(5), number(6)])
}

/// A spreadsheet's date as ISO 8601; any other text as it is.
///
/// # Errors
/// When day and month cannot be told apart, or there is no such time.
pub(super) fn iso(text: String, order: Option<Order>) -> Result<String, String> {
    let shown = text.trim();
    let (found, order) = if let Some(c) = YEAR_FIRST.captures(shown) {
        (numbers(&c), Order::YearFirst)
    } else {
        let Some(found) = written(&text) else { return Ok(text) };
        let order = order.or((found.0[0] == found.0[1]).then_some(Order::DayMonth)).ok_or_else(|| {
            format!(
                "the date {shown} may begin with the day or the month; write it like 2026-03-01 09:00, or leave it out"
            )
        })?;
        (found, order)
    };
    moment(&found, order).map(|at| at.to_string()).ok_or_else(|| format!("there is no time {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dates: &[&str]) -> Vec<Result<String, String>> {
        let found: Vec<Written> = dates.iter().filter_map(|d| written(d)).collect();
        dates.iter().map(|d| iso((*d).to_owned(), order(&found))).collect()
    }

    #[test]
    fn day_and_month_are_told_from_all_dates() {
        let ok = |text: &str| Ok::<_, String>(text.to_owned());
        assert_eq!(read(&["3/1/2026 9:05", "3/13/2026 14:00"])[0], ok("2026-03-01T09:05:00"));
        assert_eq!(read(&["01.03.2026 09:05:30", "13.03.2026"])[0], ok("2026-03-01T09:05:30"));
        assert_eq!(read(&["1/3/26 9:05 PM", "13/3/26 9:05 AM"])[0], ok("2026-03-01T21:05:00"));
        assert_eq!(read(&["1/2/2026", "2/1/2026"])[0], ok("2026-01-02T00:00:00"), "or time would run back");
        assert_eq!(read(&["3/3/2026 9:05"])[0], ok("2026-03-03T09:05:00"));
        assert!(read(&["1/3/2026 9:05"])[0].as_ref().unwrap_err().contains("the day or the month"));
        assert_eq!(read(&["31/2/2026 9:05"])[0].as_ref().unwrap_err(), "there is no time 31/2/2026 9:05");
    }

    #[test]
    fn leading_zeros_may_be_left_out() {
        for text in ["2026-03-01 09:05", "2026-3-1 9:05", "2026/3/1 9:05:00"] {
            assert_eq!(iso(text.to_owned(), None).unwrap(), "2026-03-01T09:05:00");
        }
        assert_eq!(iso("2026-2-30 9:05".to_owned(), None).unwrap_err(), "there is no time 2026-2-30 9:05");
    }

    #[test]
    fn other_times_are_left() {
        for text in ["2026-03-01T09:00:00Z", "2026-03-01", "yesterday", ""] {
            assert_eq!(iso(text.to_owned(), None), Ok(text.to_owned()));
        }
    }
}
