//! Which format a file is. In: its first bytes and its name. Out: the format.
//!
//! What stands in the file decides; its ending only where nothing else does.

use std::path::Path;

use super::{
    Format, ccai, contact_lens, convokit, documents, intercom, jsonl, plain, subtitles, twcs, whatsapp, whisperx,
    zendesk,
};

/// The format of a file that begins with `head`.
pub(super) fn format(head: &[u8], path: &Path) -> Format {
    if head.starts_with(b"PAR1") {
        return Format::Parquet;
    }
    let text = String::from_utf8_lossy(head);
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[']) && !whatsapp::fits(trimmed) && !plain::begins_with_time(trimmed) {
        return json(head);
    }
    let by_content = [
        (Format::Subtitles, subtitles::fits as fn(&str) -> bool),
        (Format::Twcs, twcs::fits),
        (Format::Whatsapp, whatsapp::fits),
    ];
    if let Some((format, _)) = by_content.iter().find(|(_, fits)| fits(trimmed)) {
        return *format;
    }
    match by_name(path) {
        Some(format) => format,
        None if plain::fits(trimmed) => Format::Plain,
        None => Format::Csv,
    }
}

fn json(head: &[u8]) -> Format {
    if jsonl::fits(head) {
        return Format::Jsonl;
    }
    let names = documents::names(head);
    let has = |name: &str| names.iter().any(|(n, _)| n == name);
    let list = |name: &str| names.iter().any(|(n, first)| n == name && *first == b'[');
    match () {
        () if contact_lens::fits(&has, &list) => Format::ContactLens,
        () if ccai::fits(&has, &list) => Format::Ccai,
        () if whisperx::fits(&has, &list) => Format::Whisperx,
        () if intercom::fits(&has, &list) => Format::Intercom,
        () if convokit::fits(&has) => Format::Convokit,
        () if zendesk::half(head).is_some() => Format::Zendesk,
        () => Format::Jsonl,
    }
}

/// The format that a file's ending names.
fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" | "json" => Some(Format::Jsonl),
        "csv" => Some(Format::Csv),
        "parquet" => Some(Format::Parquet),
        "vtt" | "srt" => Some(Format::Subtitles),
        "txt" => Some(Format::Plain),
        _ => None,
    }
}

/// Why a file that begins with `head` cannot be read in any format, and what to do.
pub(super) fn unreadable(head: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| head.starts_with(with);
    if begins(&[0xff, 0xfe]) || begins(&[0xfe, 0xff]) {
        Some("the file is UTF-16; save it as UTF-8")
    } else if begins(b"PK\x03\x04") || begins(&[0xd0, 0xcf, 0x11, 0xe0]) {
        Some("the file is an Excel workbook or an archive; save the table as CSV (in Excel: CSV UTF-8), or unpack it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workbooks_are_told_from_text() {
        assert!(unreadable(b"PK\x03\x04\x14\x00").is_some_and(|why| why.contains("CSV UTF-8")));
        assert!(unreadable("PK is a name".as_bytes()).is_none());
    }

    #[test]
    fn a_time_in_brackets_is_no_list() {
        let of = |text: &str| format(text.as_bytes(), Path::new("chat.txt"));
        assert_eq!(of("[10:02] Agent Sam: Hello\n[10:03] Maria: my card was charged twice\n"), Format::Plain);
        assert_eq!(of("[{\"id\":\"a\",\"turns\":[]}]"), Format::Jsonl);
        assert_eq!(of("[1, 2]"), Format::Jsonl);
    }
}
