//! Files that are one transcript. In: a stream. Out: its text, if it is short enough and UTF-8.

use std::io::Read;
use std::sync::Arc;

use super::{Item, MAX_RECORD_BYTES, Origin, Record, Stream};

/// Why a text is no transcript, and in which line that is seen; 0 for the whole.
pub(super) type At = (u64, String);

/// One record, or many, of a text that is read when the first is asked for.
pub(super) fn of<F>(stream: Stream, source: Arc<str>, parse: F) -> impl Iterator<Item = Item> + Send
where
    F: FnOnce(&str) -> Vec<Result<(u64, Record), At>> + Send,
{
    std::iter::once_with(move || {
        let found = match text(stream) {
            Ok(text) => parse(&text),
            Err(at) => vec![Err(at)],
        };
        let origin = move |line| Origin { source: source.clone(), line };
        found.into_iter().map(move |result| match result {
            Ok((line, record)) => Item::Record(Record { origin: origin(line), ..record }),
            Err((line, reason)) => Item::Reject(origin(line).reject(reason)),
        })
    })
    .flatten()
}

fn text(stream: Stream) -> Result<String, At> {
    let mut bytes = Vec::new();
    stream
        .take(MAX_RECORD_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| (0, format!("the file cannot be read to its end: {e}")))?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err((0, format!("the file is longer than {} MB; split it", MAX_RECORD_BYTES / (1024 * 1024))));
    }
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', good).count() as u64;
        (line, "invalid UTF-8; save the file as UTF-8".to_owned())
    })
}
