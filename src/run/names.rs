//! From a person's id to the name of their page's file. In: any text. Out: a name of at most 64 plain characters that cannot lead out
//! of its folder, is no other id's, and is the same on every system.

use sha2::{Digest, Sha256};

/// Characters of the id that are kept.
const KEPT: usize = 40;

/// `agent-ID.html` for a short id of small letters, digits, `-` and `_`; else what is left of the id, and a part of its hash.
pub(super) fn file_name(id: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !id.is_empty() && id.len() <= KEPT && id.chars().all(plain) {
        return format!("agent-{id}.html");
    }
    // The point keeps these names apart from the plain ones.
    let kept: String = id.chars().map(|c| c.to_ascii_lowercase()).filter(|c| plain(*c)).take(KEPT).collect();
    let digest = hex::encode(&Sha256::digest(id.as_bytes())[..6]);
    format!("agent-{kept}.{digest}.html").replace("-.", "-id.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_leads_out_of_the_folder() {
        let long = "x".repeat(300);
        let odd = [
            "../../x",
            "..",
            "/etc/passwd",
            "a\u{0}b",
            "",
            " ",
            long.as_str(),
            "😀",
            "😁",
            "C:\\con",
            "A1",
            "a1",
            "a 1",
            "ä",
            "index",
            "con",
        ];
        let names: BTreeSet<String> = odd.iter().map(|id| file_name(id)).collect();
        assert_eq!(names.len(), odd.len(), "each its own: {names:?}");
        for name in names {
            assert!(name.len() <= 64 && name.starts_with("agent-") && name.ends_with(".html"), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c)), "{name}");
            assert!(!name.contains(".."), "{name}");
        }
        assert_eq!(file_name("a05"), "agent-a05.html");
    }
}
