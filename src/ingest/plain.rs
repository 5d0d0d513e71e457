//! Plain text, `Speaker: text` a line. In: a file. Out: a record, or one for each part between lines of dashes.
//!
//! A line without a speaker goes on with the message before it; lines before the first speaker are a heading. A name counts as a speaker when it
//! says a role, when it begins two lines, or when there would else be fewer than two speakers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::speakers::{labelled, name_roles, role};
use super::whole::{self, At};
use super::{Columns, Item, RawTurn, Record, Stream};

/// A time before the name: `[09:14:05]`, `(09:14)`, `2026-03-01 09:14:05`.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
    Regex::new(r"^\s*[\[(]?((?:\d{4}-\d{2}-\d{2}[T ])?\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?Z?)[\])]?\s*[-–]?\s+(\S.*)$")
        .unwrap()
});

pub(super) fn fits(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(50).collect();
    let named = lines.iter().filter(|l| labelled(untimed(l).1).is_some()).count();
    named >= 2 && named * 2 >= lines.len()
}

/// Whether a text begins with a time, as a log of a chat does; in brackets it looks like a list of JSON.
pub(super) fn begins_with_time(text: &str) -> bool {
    untimed(text.lines().next().unwrap_or_default()).0.is_some()
}

pub(super) fn open(
    stream: Stream,
    source: Arc<str>,
    name: &str,
    columns: &Columns,
) -> impl Iterator<Item = Item> + Send + use<> {
    let (name, columns) = (name.to_owned(), columns.clone());
    whole::of(stream, source, move |text| parse(text, &name, &columns))
}

fn untimed(line: &str) -> (Option<&str>, &str) {
    let parts = TIME.captures(line).and_then(|c| Some((c.get(1)?.as_str(), c.get(2)?.as_str())));
    parts.map_or((None, line), |(time, rest)| (Some(time), rest))
}

fn parse(text: &str, name: &str, columns: &Columns) -> Vec<Result<(u64, Record), At>> {
    let lines: Vec<(u64, &str)> = (1..).zip(text.lines()).collect();
    let rule = |l: &str| l.trim().len() >= 3 && l.trim().chars().all(|c| matches!(c, '-' | '=' | '_' | '*'));
    let parts: Vec<&[(u64, &str)]> =
        lines.split(|(_, l)| rule(l)).filter(|p| p.iter().any(|(_, l)| !l.trim().is_empty())).collect();
    if parts.is_empty() {
        return vec![Err((0, "the file is empty".to_owned()))];
    }
    let many = parts.len() > 1;
    let id = |i: usize| if many { format!("{name}-{}", i + 1) } else { name.to_owned() };
    parts.iter().enumerate().map(|(i, part)| one(part, id(i), columns)).collect()
}

fn one(lines: &[(u64, &str)], id: String, columns: &Columns) -> Result<(u64, Record), At> {
    let first = lines.iter().find(|(_, l)| !l.trim().is_empty()).map_or(0, |(n, _)| *n);
    let speakers = speakers(lines, columns);
    let mut turns: Vec<RawTurn> = Vec::new();
    for (_, line) in lines {
        let (at, rest) = untimed(line);
        match labelled(rest).filter(|(name, _)| speakers.contains(&name.to_lowercase())) {
            Some((name, text)) => turns.push(RawTurn {
                role: name.to_owned(),
                text: text.to_owned(),
                at: at.map(moment),
                ..RawTurn::default()
            }),
            None => {
                if let Some(last) = turns.last_mut().filter(|_| !line.trim().is_empty()) {
                    if !last.text.is_empty() {
                        last.text.push('\n');
                    }
                    last.text.push_str(line.trim());
                }
            }
        }
    }
    if turns.is_empty() {
        return Err((first, "no line names its speaker; write each turn as \"Agent: text\"".to_owned()));
    }
    name_roles(&mut turns, columns);
    Ok((first, Record { id, turns, speakers: true, ..Record::default() }))
}

/// The names that are speakers, in lower case.
fn speakers(lines: &[(u64, &str)], columns: &Columns) -> BTreeSet<String> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (i, (_, line)) in lines.iter().enumerate() {
        if let Some((name, _)) = labelled(untimed(line).1) {
            counts.entry(name.to_lowercase()).or_insert((0, i)).0 += 1;
        }
    }
    let sure = |(name, (n, _)): &(&String, &(usize, usize))| *n >= 2 || role(name, columns).is_some();
    let mut out: BTreeSet<String> = counts.iter().filter(sure).map(|(name, _)| name.clone()).collect();
    let mut rest: Vec<(usize, &String)> =
        counts.iter().filter(|c| !sure(c)).map(|(name, (_, at))| (*at, name)).collect();
    rest.sort_unstable();
    let more = 2usize.saturating_sub(out.len());
    out.extend(rest.into_iter().map(|(_, name)| name.clone()).take(more));
    out
}

/// A time of day stands on the recording's own clock.
fn moment(time: &str) -> String {
    if time.contains('-') {
        return time.to_owned();
    }
    let padded = if time.find(':') == Some(1) { format!("0{time}") } else { time.to_owned() };
    let seconds = if padded.matches(':').count() == 1 { ":00" } else { "" };
    format!("1970-01-01T{}{seconds}Z", padded.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(text: &str) -> Vec<Vec<(String, String)>> {
        let records = parse(text, "x", &Columns::default()).into_iter().map(|r| r.unwrap().1);
        records.map(|r| r.turns.into_iter().map(|t| (t.role, t.text)).collect()).collect()
    }

    #[test]
    fn lines_with_a_name_are_turns_and_others_go_on() {
        let text = "Call of 1 March\nDate: Monday\n\n[09:14] Agent: Hello.\nMaria: Hi, it says:\nError: 5\nagain\nAgent: Sorry.\nMaria: ok\n";
        let want =
            [("agent", "Hello."), ("Maria", "Hi, it says:\nError: 5\nagain"), ("agent", "Sorry."), ("Maria", "ok")];
        assert_eq!(turns(text), [want.map(|(r, t)| (r.to_owned(), t.to_owned()))]);
        assert!(fits(text) && !fits("transcript_id,turn,role,text\n"));
        assert_eq!(turns("Agent: a\nMaria: b\n-----\nAgent: c\nMaria: d\n").len(), 2);
    }

    #[test]
    fn a_text_without_speakers_is_refused() {
        assert_eq!(parse("\nhello\n", "x", &Columns::default())[0].as_ref().unwrap_err().0, 2);
        assert_eq!(parse("", "x", &Columns::default())[0].as_ref().unwrap_err().1, "the file is empty");
        assert_eq!(moment("9:14"), "1970-01-01T09:14:00Z");
    }
}
