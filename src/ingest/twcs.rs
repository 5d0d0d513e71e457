//! Customer Support on Twitter (`twcs.csv`): one tweet a row; replies make trees. In: the file's stream. Out: one record for each customer in
//! a tree, and rejects.
//!
//! A brand's tweet belongs to the customer it answers, so that two customers in one tree are two transcripts; a brand's own tweet that
//! starts a tree opens the transcript of each customer who answers it. The whole file's links are needed first: texts go to a temporary file, and
//! 48 bytes a tweet stay in memory. The id of a transcript is that of its customer's first tweet; a sign-off such as `^AB` is the agent.

use std::io;
use std::sync::{Arc, LazyLock};

use csv::{ByteRecord, Position};
use jiff::Timestamp;
use jiff::fmt::strtime;
use regex::Regex;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::csv::Bounded;
use super::gather::{Spool, Spooled, kept};
use super::{Item, MAX_RECORD_BYTES, Origin, RawTurn, Record, Source, Stream, html};

const NEEDED: [&str; 6] = ["tweet_id", "author_id", "inbound", "created_at", "text", "in_response_to_tweet_id"];

pub(super) fn fits(text: &str) -> bool {
    let header = text.lines().next().unwrap_or_default();
    ["tweet_id", "in_response_to_tweet_id", "inbound"]
        .iter()
        .all(|n| header.split(',').any(|h| h.trim_matches('"') == *n))
}

pub(super) fn open(stream: Stream, source: Arc<str>) -> Box<dyn Source + Send> {
    Box::new(Threads { source, state: State::Unread(stream) })
}

/// A tweet, without its text.
#[derive(Clone, Copy)]
struct Tweet {
    id: u64,
    parent: u64,
    /// Where author and text are kept.
    at: u64,
    /// A hash of the author.
    author: u64,
    line: u32,
    /// Seconds since 1970.
    time: u32,
    /// The place of the tweet that begins the transcript this one belongs to.
    owner: u32,
    customer: bool,
}

const NOBODY: u32 = u32::MAX;

struct Threads {
    source: Arc<str>,
    state: State,
}

enum State {
    Unread(Stream),
    Reading(Box<Reading>),
    Read(Sorted),
    Failed,
}

/// The file while it is being read.
struct Reading {
    rows: Bounded,
    places: Vec<usize>,
    spool: Spool,
    tweets: Vec<Tweet>,
    /// Whether reading had to stop.
    stopped: bool,
}

/// All tweets by id, and the transcripts as runs of an order.
struct Sorted {
    tweets: Vec<Tweet>,
    /// (owner, tweet): a transcript's tweets stand together, in time order.
    order: Vec<(u32, u32)>,
    next: usize,
    spool: Spooled,
    /// Lines of tweets whose id was read before, the last first.
    doubles: Vec<u32>,
}

impl Threads {
    fn reject(&self, line: u64, reason: impl Into<String>) -> Item {
        Item::Reject(Origin { source: self.source.clone(), line }.reject(reason))
    }

    fn begin(stream: Stream) -> Result<Reading, (u64, String)> {
        let mut rows = Bounded::reader(stream);
        let header = rows.header().map_err(|e| (1, format!("the header cannot be read: {e}")))?;
        let place = |name: &str| header.iter().position(|h| h.trim_ascii() == name.as_bytes());
        let places = NEEDED.iter().map(|n| place(n)).collect::<Option<Vec<_>>>();
        let places = places.ok_or_else(|| (1, format!("the header lacks one of {}", NEEDED.join(", "))))?;
        let spool = Spool::new().map_err(|e| (0, kept(&e)))?;
        Ok(Reading { rows, places, spool, tweets: Vec::new(), stopped: false })
    }
}

impl Reading {
    /// Reads on to the next row that cannot be kept; none at the end.
    fn next_fault(&mut self) -> io::Result<Option<(u64, String)>> {
        let mut row = ByteRecord::new();
        while !self.stopped {
            match self.rows.next(&mut row) {
                Ok(false) => break,
                Ok(true) => {
                    let line = row.position().map_or(0, Position::line);
                    match tweet(&row, &self.places, line) {
                        Ok((tweet, kept)) => self.tweets.push(Tweet { at: self.spool.push(&kept)?, ..tweet }),
                        Err(reason) => return Ok(Some((line, reason))),
                    }
                }
                Err((line, e)) => {
                    self.stopped = true;
                    return Ok(Some((line, format!("reading stopped here: {e}; what follows was not read"))));
                }
            }
        }
        Ok(None)
    }

    /// Sorts by id; of two with one id the first in the file stays.
    fn sort(self) -> io::Result<Sorted> {
        let Self { spool, mut tweets, .. } = self;
        tweets.sort_unstable_by_key(|t| (t.id, t.line));
        let (mut last, mut doubles) = (None, Vec::new());
        tweets.retain(|t| {
            let double = last == Some(t.id);
            if double {
                doubles.push(t.line);
            }
            last = Some(t.id);
            !double
        });
        doubles.reverse();
        Ok(Sorted { order: transcripts(&mut tweets), tweets, next: 0, spool: spool.finish()?, doubles })
    }
}

/// What is kept of a row: the tweet, and author and text.
fn tweet(row: &ByteRecord, places: &[usize], line: u64) -> Result<(Tweet, Vec<u8>), String> {
    let cell = |i: usize| -> Result<&str, String> {
        let name = NEEDED[i];
        let cell = row.get(places[i]).ok_or_else(|| format!("the row has {} cells and none for {name}", row.len()))?;
        std::str::from_utf8(cell).map(str::trim).map_err(|_| format!("invalid UTF-8 in {name}; save the file as UTF-8"))
    };
    let number = |text: &str| {
        let whole = text.strip_suffix(".0").unwrap_or(text);
        whole.parse::<u64>().ok().filter(|n| *n > 0)
    };
    let id = number(cell(0)?).ok_or("tweet_id is not a whole number")?;
    let author = cell(1)?;
    let customer = match cell(2)?.to_ascii_lowercase().as_str() {
        "true" => true,
        "false" => false,
        _ => return Err("inbound is neither True nor False".to_owned()),
    };
    let time = time(cell(3)?).ok_or("created_at is not like \"Tue Oct 31 22:10:47 +0000 2017\"")?;
    let parent = match cell(5)? {
        "" => 0,
        text => number(text).ok_or("in_response_to_tweet_id is not a whole number")?,
    };
    let hash = Sha256::digest(author.as_bytes()).iter().take(8).fold(0, |h, b| h << 8 | u64::from(*b));
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    let kept = [author.as_bytes(), b"\0", cell(4)?.as_bytes()].concat();
    Ok((Tweet { id, parent, at: 0, author: hash, line, time, owner: NOBODY, customer }, kept))
}

fn time(text: &str) -> Option<u32> {
    // The name of the day says nothing that the date does not.
    let at = strtime::parse("%b %d %H:%M:%S %z %Y", text.split_once(' ')?.1).ok()?.to_timestamp().ok()?;
    u32::try_from(at.as_second()).ok()
}

/// Finds for each tweet, sorted by id, whose transcript it belongs to. Out: the transcripts' tweets in order.
fn transcripts(tweets: &mut [Tweet]) -> Vec<(u32, u32)> {
    // A reply has a higher id than what it answers: what claims otherwise, or answers what is not there, answers nothing.
    let parent = |tweets: &[Tweet], i: usize| -> Option<usize> {
        let at = tweets.binary_search_by_key(&tweets[i].parent, |t| t.id).ok()?;
        (at < i).then_some(at)
    };
    for i in 0..tweets.len() {
        let above = parent(tweets, i).map_or(NOBODY, |p| tweets[p].owner);
        tweets[i].owner = match tweets[i].customer {
            true if above == NOBODY || tweets[above as usize].author != tweets[i].author => i as u32,
            _ => above,
        };
    }
    let mut order: Vec<(u32, u32)> = Vec::with_capacity(tweets.len());
    let mut opens = vec![false; tweets.len()];
    for i in 0..tweets.len() {
        let opener = parent(tweets, i).filter(|&p| tweets[i].owner == i as u32 && tweets[p].owner == NOBODY);
        if let Some(p) = opener {
            opens[p] = true;
            order.push((i as u32, p as u32));
        }
    }
    for i in 0..tweets.len() {
        // What no customer asked for and none answers is a transcript of the brand alone.
        if tweets[i].owner == NOBODY && !opens[i] {
            let above = parent(tweets, i).map_or(NOBODY, |p| tweets[p].owner);
            tweets[i].owner = if above == NOBODY { i as u32 } else { above };
        }
        if tweets[i].owner != NOBODY {
            order.push((tweets[i].owner, i as u32));
        }
    }
    order.sort_unstable_by_key(|&(owner, i)| (owner, tweets[i as usize].time, i));
    order
}

impl Sorted {
    fn next_record(&mut self) -> Option<io::Result<(u64, Result<Record, String>)>> {
        let start = self.next;
        let owner = self.order.get(start)?.0;
        let length = self.order[start..].iter().take_while(|(o, _)| *o == owner).count();
        self.next += length;
        let first = self.tweets[owner as usize];
        Some(self.record(start..start + length, first).map(|record| (first.line.into(), record)))
    }

    fn record(&mut self, range: std::ops::Range<usize>, first: Tweet) -> io::Result<Result<Record, String>> {
        let mut turns = Vec::new();
        let mut brand = None;
        let mut bytes = 0;
        for place in range {
            let tweet = self.tweets[self.order[place].1 as usize];
            let kept = self.spool.read(tweet.at)?;
            bytes += kept.len();
            if bytes > MAX_RECORD_BYTES {
                return Ok(Err(format!("the thread is longer than {} MB", MAX_RECORD_BYTES / (1024 * 1024))));
            }
            let kept = String::from_utf8_lossy(&kept);
            let (author, text) = kept.split_once('\0').unwrap_or_default();
            let text = if text.contains('&') { html::to_text(text) } else { text.to_owned() };
            if !tweet.customer {
                brand.get_or_insert_with(|| author.to_owned());
            }
            turns.push(RawTurn {
                role: if tweet.customer { "customer" } else { "agent" }.to_owned(),
                agent_id: signed(&text).filter(|_| !tweet.customer).map(|by| format!("{author}/{by}")),
                at: Timestamp::from_second(tweet.time.into()).ok().map(|t| t.to_string()),
                text,
                until: None,
            });
        }
        let mut attributes = Map::from_iter([("channel".to_owned(), Value::from("social"))]);
        if let Some(brand) = brand {
            attributes.insert("brand".to_owned(), Value::from(brand));
        }
        Ok(Ok(Record { id: first.id.to_string(), attributes, turns, ..Record::default() }))
    }
}

/// Who signed a tweet: `^AB` at its end, or before a link.
fn signed(text: &str) -> Option<String> {
    static SIGNED: LazyLock<Regex> = LazyLock::new(|| {
        #[allow(clippy::unwrap_used, reason = "constant pattern, used in tests")]
        Regex::new(r"\^\s?([A-Za-z]{1,12})\.?\s*(?:https?://\S+\s*)*(?:\(?\d/\d\)?\s*)?$").unwrap()
    });
    SIGNED.captures(text).map(|c| c[1].to_owned())
}

impl Iterator for Threads {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            match std::mem::replace(&mut self.state, State::Failed) {
                State::Failed => return None,
                State::Unread(stream) => match Self::begin(stream) {
                    Ok(reading) => self.state = State::Reading(Box::new(reading)),
                    Err((line, reason)) => return Some(self.reject(line, reason)),
                },
                State::Reading(mut reading) => match reading.next_fault() {
                    Ok(Some((line, reason))) => {
                        self.state = State::Reading(reading);
                        return Some(self.reject(line, reason));
                    }
                    Ok(None) => match reading.sort() {
                        Ok(sorted) => self.state = State::Read(sorted),
                        Err(e) => return Some(self.reject(0, kept(&e))),
                    },
                    Err(e) => return Some(self.reject(0, kept(&e))),
                },
                State::Read(mut sorted) => {
                    let double = sorted.doubles.pop();
                    let record = if double.is_none() { Some(sorted.next_record()?) } else { None };
                    self.state = State::Read(sorted);
                    let Some(record) = record else {
                        return Some(self.reject(double?.into(), "the tweet_id was read before; ids must be unique"));
                    };
                    return Some(match record {
                        Ok((line, Ok(record))) => {
                            Item::Record(Record { origin: Origin { source: self.source.clone(), line }, ..record })
                        }
                        Ok((line, Err(reason))) => self.reject(line, reason),
                        Err(e) => {
                            self.state = State::Failed;
                            self.reject(0, format!("the tweets could not be read back: {e}"))
                        }
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> Vec<(String, Vec<String>)> {
        let text =
            format!("tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id\n{rows}");
        let items = open(Stream::from_text(&text), "x".into());
        items
            .map(|item| match item {
                Item::Record(r) => (r.id, r.turns.into_iter().map(|t| t.text).collect()),
                Item::Reject(r) => (format!("! {}", r.line), vec![r.reason]),
            })
            .collect()
    }

    fn row(id: u64, author: &str, minute: u64, parent: &str) -> String {
        let inbound = if author.parse::<u64>().is_ok() { "True" } else { "False" };
        format!("{id},{author},{inbound},Tue Oct 31 22:{minute:02}:47 +0000 2017,t{id},,{parent}\n")
    }

    #[test]
    fn each_customer_of_a_tree_is_a_transcript() {
        let rows = [
            row(10, "Brand", 1, ""),
            row(11, "100", 2, "10"),
            row(12, "Brand", 3, "11"),
            row(13, "200", 4, "12"),
            row(14, "Brand", 6, "13"),
            row(15, "100", 5, "12"),
            row(16, "Brand", 7, "99"),
            row(17, "300", 8, "18"),
        ];
        let want = [
            ("11", vec!["t10", "t11", "t12", "t15"]),
            ("13", vec!["t13", "t14"]),
            ("16", vec!["t16"]),
            ("17", vec!["t17"]),
        ];
        let want: Vec<(String, Vec<String>)> =
            want.into_iter().map(|(id, t)| (id.to_owned(), t.into_iter().map(str::to_owned).collect())).collect();
        assert_eq!(read(&rows.concat()), want);
        let mut reversed = rows.to_vec();
        reversed.reverse();
        assert_eq!(read(&reversed.concat()), want, "rows may stand in any order");
    }

    #[test]
    fn bad_rows_are_rejected_and_the_rest_is_read() {
        let rows = format!(
            "{}{}x,1,True,now,t,,\n5,1,maybe,now,t,,\n6,1,True,now,t,,\n7,1\n",
            row(1, "100", 1, ""),
            row(1, "100", 1, "")
        );
        let found = read(&rows);
        let want = ["! 4", "! 5", "! 6", "! 7", "! 3", "1"];
        assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), want);
        assert!(found[2].1[0].contains("created_at is not like"));
    }

    #[test]
    fn sign_offs_are_agents() {
        assert_eq!(signed("We're on it. ^AB").as_deref(), Some("AB"));
        assert_eq!(signed("See here ^Kim https://t.co/x").as_deref(), Some("Kim"));
        assert_eq!(signed("2^3 is eight"), None);
    }
}
