//! An exported `WhatsApp` chat. In: a text file of iOS or Android. Out: one record.
//!
//! The order of day and month is the phone's own: it is told from the dates themselves (a number above 12, else the order in which the messages
//! run forward). A line without a date goes on with the message before it; notices of the app (no name) are left out.

use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::dates::{self, Order, Written};
use super::speakers::name_roles;
use super::whole::{self, At};
use super::{Columns, Item, RawTurn, Record, Stream};

static MESSAGE: LazyLock<Regex> = LazyLock::new(|| {
    const DATE: &str = r"(\d{1,4})[./\-](\d{1,2})[./\-](\d{1,4})";
    const TIME: &str = r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?[\s\u{202f}]?([AaPp])?\.?(?:[Mm]\.?)?";
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(&format!(
        r"^[\u{{200e}}\u{{200f}}]*(?:\[{DATE},?\s{TIME}\]\s|{DATE},?\s{TIME}\s-\s)(?:([^:]{{1,80}}):\s?)?(.*)$"
    ))
    .unwrap()
});

pub(super) fn fits(text: &str) -> bool {
    text.lines().filter(|l| !l.trim().is_empty()).take(3).any(|l| MESSAGE.is_match(l.trim_end()))
}

pub(super) fn open(
    stream: Stream,
    source: Arc<str>,
    name: &str,
    columns: &Columns,
) -> impl Iterator<Item = Item> + Send + use<> {
    let (name, columns) = (name.to_owned(), columns.clone());
    whole::of(stream, source, move |text| vec![parse(text, name, &columns).map(|r| (1, r))])
}

struct Message {
    line: u64,
    at: Written,
    name: Option<String>,
    text: String,
}

fn parse(text: &str, id: String, columns: &Columns) -> Result<Record, At> {
    let mut messages: Vec<Message> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_end();
        match (MESSAGE.captures(line), messages.last_mut()) {
            (Some(c), _) => messages.push(message(&c, number)),
            (None, Some(last)) => {
                last.text.push('\n');
                last.text.push_str(line);
            }
            (None, None) if line.trim().is_empty() => {}
            (None, None) => {
                return Err((number, "no message begins here; a line is \"1/3/26, 09:14 - Name: text\"".to_owned()));
            }
        }
    }
    let dates: Vec<Written> = messages.iter().map(|m| m.at).collect();
    let order = dates::order(&dates).unwrap_or(Order::DayMonth);
    let mut turns = Vec::new();
    for m in messages {
        let Some(name) = m.name else { continue };
        let at = dates::moment(&m.at, order)
            .ok_or_else(|| (m.line, "the date or time of a message does not exist".to_owned()))?;
        turns.push(RawTurn { role: name, text: spoken(&m.text), at: Some(at.to_string()), ..RawTurn::default() });
    }
    if turns.is_empty() {
        return Err((0, "the file holds no message with a name".to_owned()));
    }
    name_roles(&mut turns, columns);
    let attributes = Map::from_iter([("channel".to_owned(), Value::from("chat"))]);
    Ok(Record { id, attributes, turns, speakers: true, ..Record::default() })
}

fn message(c: &Captures<'_>, line: u64) -> Message {
    // The first seven groups are those of iOS, the next seven those of Android.
    let base = if c.get(1).is_some() { 1 } else { 8 };
    let number = |i: usize| c.get(base + i).and_then(|m| m.as_str().parse::<u32>().ok()).unwrap_or_default();
    let hour = dates::hour(number(3), c.get(base + 6).map(|m| m.as_str()));
    Message {
        line,
        at: ([number(0), number(1), number(2)], [hour, number(4), number(5)]),
        name: c.get(15).map(|m| m.as_str().trim().to_owned()),
        text: c.get(16).map(|m| m.as_str().to_owned()).unwrap_or_default(),
    }
}

/// What was said: the app's own words, which iOS begins with an invisible mark, and media that were left out say nothing.
fn spoken(text: &str) -> String {
    if text.trim_start().starts_with('\u{200e}') {
        return String::new();
    }
    let plain = text.trim();
    let lower = plain.to_lowercase();
    let media = lower == "<media omitted>" || (lower.ends_with(" omitted") && lower.split_whitespace().count() <= 3);
    if media { String::new() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(text: &str) -> Vec<(String, String, String)> {
        let record = parse(text, "x".into(), &Columns::default()).unwrap();
        record.turns.into_iter().map(|t| (t.role, t.text, t.at.unwrap_or_default())).collect()
    }

    #[test]
    fn both_phones_are_read() {
        let ios = "\u{200e}[13/03/2026, 9:14:05\u{202f}PM] Larkspur Support: Hello, Ana\n[13/03/2026, 9:15:00 PM] Ana: my bill\nis wrong: £5\n";
        let want =
            [("agent", "Hello, Ana", "2026-03-13T21:14:05"), ("Ana", "my bill\nis wrong: £5", "2026-03-13T21:15:00")];
        assert_eq!(turns(ios), want.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
        let android = "3/13/26, 21:14 - Messages are end-to-end encrypted.\n3/13/26, 21:14 - Ana: <Media omitted>\n3/13/26, 21:15 - Bo: ok\n";
        assert_eq!(turns(android)[0], ("Ana".into(), String::new(), "2026-03-13T21:14:00".into()));
        assert!(fits(ios) && fits(android) && !fits("Agent: hi\n") && !fits("[{\"a\":1}]"));
    }

    #[test]
    fn day_and_month_are_told_from_the_run_of_dates() {
        let text = "1/2/26, 10:00 - A: x\n2/1/26, 10:00 - B: y\n";
        assert_eq!(turns(text)[0].2, "2026-01-02T10:00:00", "month first, or time would run back");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(parse("Dear all\n", "x".into(), &Columns::default()).unwrap_err().0, 1);
        assert_eq!(
            parse("1/3/26, 09:14 - A: x\n40/13/26, 09:15 - B: y", "x".into(), &Columns::default()).unwrap_err().0,
            2
        );
        assert_eq!(
            parse("1/3/26, 09:14 - A: x\n1/3/26, 25:99 - B: y", "x".into(), &Columns::default()).unwrap_err().0,
            2
        );
    }
}
