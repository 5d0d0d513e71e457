//! JSON objects out of a stream: one a line, one over many lines, in a list, or in a list inside an object. In: plain bytes. Out: the
//! bytes of one object after the other, each with its first line; never more than one in memory.
//!
//! Objects are told apart by their brackets alone; what stands inside is for the format's reader to judge. Behind a fault reading goes on at
//! the next line that begins an object.

use std::io::{self, BufRead};

use super::{MAX_RECORD_BYTES, Stream};

/// Splits a stream into objects.
pub(super) struct Documents {
    stream: Stream,
    /// The names under which an outer object holds the list of records.
    lists: &'static [&'static str],
    line: u64,
    /// How many lists are open around the next object.
    depth: usize,
    /// Whether the list is part of an object, of which the rest is of no use.
    wrapped: bool,
    /// Whether objects that fill one line each were seen.
    lines: bool,
    done: bool,
    buffer: Vec<u8>,
}

/// What was found next.
pub(super) enum Piece<'a> {
    /// An object.
    Object(&'a [u8]),
    /// Something that is none, and why.
    Fault(String),
}

enum End {
    Whole,
    List,
    Fault(String),
}

pub(super) const CUT: &str = "the record ends inside a JSON value; it may have been cut";

impl Documents {
    pub(super) fn new(stream: Stream, lists: &'static [&'static str]) -> Self {
        Self { stream, lists, line: 1, depth: 0, wrapped: false, lines: false, done: false, buffer: Vec::new() }
    }

    /// The next object with its line.
    pub(super) fn next(&mut self) -> Option<(u64, Piece<'_>)> {
        if self.done {
            return None;
        }
        match self.find() {
            Ok(None) => {
                self.done = true;
                let cut = std::mem::take(&mut self.depth) > 0;
                cut.then(|| (self.line, Piece::Fault("the file ends inside a list; it may have been cut".to_owned())))
            }
            Ok(Some((line, None))) => Some((line, Piece::Object(&self.buffer))),
            Ok(Some((line, Some(reason)))) => Some((line, Piece::Fault(reason))),
            Err(e) => {
                self.done = true;
                Some((self.line, Piece::Fault(format!("reading stopped here: {e}; what follows was not read"))))
            }
        }
    }

    /// The line of the next object, which is in the buffer then, or of a fault.
    fn find(&mut self) -> io::Result<Option<(u64, Option<String>)>> {
        while let Some(byte) = self.peek()? {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.stream.consume(1);
                }
                b'[' => {
                    self.depth += 1;
                    self.stream.consume(1);
                }
                b']' if self.depth > 0 => {
                    self.depth -= 1;
                    self.stream.consume(1);
                    if self.depth == 0 && std::mem::take(&mut self.wrapped) {
                        self.skip_rest()?;
                    }
                }
                b'{' => {
                    let line = self.line;
                    match self.object()? {
                        End::Whole => return Ok(Some((line, None))),
                        End::Fault(reason) => return Ok(Some((line, Some(reason)))),
                        End::List => {}
                    }
                }
                b if b.is_ascii_whitespace() || b == b',' => self.stream.consume(1),
                _ => {
                    let line = self.line;
                    self.skip_line()?;
                    return Ok(Some((line, Some("not a JSON object".to_owned()))));
                }
            }
        }
        Ok(None)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.stream.fill_buf()?.first().copied())
    }

    /// Reads an object into the buffer; the stream stands at its first bracket.
    fn object(&mut self) -> io::Result<End> {
        self.buffer.clear();
        let first_line = self.line;
        let mut scan = Scan::default();
        // The last byte that is no space, for where a line may end.
        let mut last = b'{';
        while let Some(byte) = self.peek()? {
            if byte == b'\n' {
                if scan.in_string {
                    return Ok(End::Fault(CUT.to_owned()));
                }
            } else if byte == b'{' && self.buffer.last() == Some(&b'\n') && self.line == first_line + 1 {
                // A new object right at the start of the line: the one before was cut, unless it may go on like this.
                let may_go_on = matches!(last, b'[' | b',' | b':') && !self.lines;
                if !may_go_on {
                    return Ok(End::Fault(CUT.to_owned()));
                }
            }
            self.stream.consume(1);
            self.line += u64::from(byte == b'\n');
            if self.buffer.len() <= MAX_RECORD_BYTES {
                self.buffer.push(byte);
            }
            scan.step(byte);
            if scan.depth == 0 {
                self.lines |= self.depth == 0 && self.line == first_line;
                return Ok(self.measured());
            }
            if self.depth == 0 && scan.opens_list(self.lists) {
                (self.depth, self.wrapped) = (1, true);
                return Ok(End::List);
            }
            if !byte.is_ascii_whitespace() {
                last = byte;
            }
        }
        Ok(End::Fault(CUT.to_owned()))
    }

    fn measured(&mut self) -> End {
        if self.buffer.len() <= MAX_RECORD_BYTES {
            return End::Whole;
        }
        self.buffer = Vec::new();
        End::Fault(format!("the record is longer than {} MB; split it", MAX_RECORD_BYTES / (1024 * 1024)))
    }

    /// Leaves out what an outer object holds behind its list.
    fn skip_rest(&mut self) -> io::Result<()> {
        let mut scan = Scan { depth: 1, ..Scan::default() };
        while let Some(byte) = self.peek()? {
            self.stream.consume(1);
            self.line += u64::from(byte == b'\n');
            scan.step(byte);
            if scan.depth == 0 {
                break;
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.stream.fill_buf()?;
            match memchr::memchr(b'\n', chunk) {
                Some(at) => {
                    self.stream.consume(at);
                    return Ok(());
                }
                None if chunk.is_empty() => return Ok(()),
                None => {
                    let n = chunk.len();
                    self.stream.consume(n);
                }
            }
        }
    }
}

/// Where in an object the next byte stands.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The string being read, or read last, directly inside the object.
    name: Vec<u8>,
    /// Whether that string is followed by a colon.
    named: bool,
    /// The byte that opened a list under such a name.
    list: bool,
}

/// Longer names are nobody's.
const MAX_NAME: usize = 64;

impl Scan {
    fn step(&mut self, byte: u8) {
        self.list = false;
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ if self.depth == 1 && self.name.len() < MAX_NAME => self.name.push(byte),
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                if self.depth == 1 {
                    self.name.clear();
                    self.named = false;
                }
            }
            b':' if self.depth == 1 => self.named = true,
            b',' if self.depth == 1 => self.named = false,
            b'{' => self.depth += 1,
            b'[' => {
                self.list = self.depth == 1 && self.named;
                self.depth += 1;
            }
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn opens_list(&self, names: &[&str]) -> bool {
        self.list && names.iter().any(|n| n.as_bytes() == self.name)
    }
}

/// The names directly inside the first object of a file's beginning, each with the first byte of its value; of a list, of its first
/// element. What is cut is left out.
pub(super) fn names(head: &[u8]) -> Vec<(String, u8)> {
    let Some(start) = head.iter().position(|b| *b == b'{') else { return Vec::new() };
    let mut scan = Scan::default();
    let mut out: Vec<(String, u8)> = Vec::new();
    let mut open = false;
    for &byte in &head[start..] {
        let was_named = scan.named;
        let depth = scan.depth;
        if open && depth == 1 && !byte.is_ascii_whitespace() {
            out.push((String::from_utf8_lossy(&scan.name).into_owned(), byte));
            open = false;
        }
        scan.step(byte);
        if !was_named && scan.named {
            open = true;
        }
        if scan.depth == 0 {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, lists: &'static [&'static str]) -> Vec<(u64, String)> {
        let mut documents = Documents::new(Stream::from_text(text), lists);
        let mut out = Vec::new();
        while let Some((line, piece)) = documents.next() {
            out.push((
                line,
                match piece {
                    Piece::Object(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Piece::Fault(reason) => format!("! {reason}"),
                },
            ));
        }
        out
    }

    #[test]
    fn objects_are_found_in_every_layout() {
        let want = ["{\"a\":\"}{\\\"\"}", "{\"b\":[1,{\"c\":2}]}"];
        for (text, lists) in [
            (format!("{}\n{}\n", want[0], want[1]), &[][..]),
            (format!("{}\r\n\r\n{}", want[0], want[1]), &[]),
            (format!("[{},\n{}]", want[0], want[1]), &[]),
            (format!("{{\"n\":[3],\"all\":[{},{}],\"next\":{{\"x\":[]}}}}\n", want[0], want[1]), &["all"]),
        ] {
            let found: Vec<String> = split(&text, lists).into_iter().map(|(_, o)| o).collect();
            assert_eq!(found, want, "{text}");
        }
        let pretty = "{\n  \"a\": [\n{\"b\": 1}\n  ]\n}\n";
        assert_eq!(split(pretty, &[]), [(1, pretty.trim_end().to_owned())]);
    }

    #[test]
    fn a_cut_object_does_not_take_the_next_with_it() {
        let text = "{\"a\":1}\n{\"b\":\"cut\n{\"c\":3}\n{\"d\":[1,\n{\"e\":5}\nnote\n{\"f\":";
        let cut = format!("! {CUT}");
        let want = [
            (1, "{\"a\":1}"),
            (2, &cut),
            (3, "{\"c\":3}"),
            (4, &cut),
            (5, "{\"e\":5}"),
            (6, "! not a JSON object"),
            (7, &cut),
        ];
        assert_eq!(split(text, &[]), want.map(|(l, t)| (l, t.to_owned())));
        assert_eq!(split("[{\"a\":1},", &[])[1].1, "! the file ends inside a list; it may have been cut");
    }

    #[test]
    fn names_are_told_from_the_beginning_of_a_file() {
        let found = names(br#" [{"type": "x", "in": {"no": 1}, "list" : [ {"no":2} ], "n":5, "cut": "#);
        let want = [("type", b'"'), ("in", b'{'), ("list", b'['), ("n", b'5')];
        assert_eq!(found, want.map(|(n, b)| (n.to_owned(), b)));
    }
}
