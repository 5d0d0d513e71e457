//! Cells that a spreadsheet would take for a formula. In: any text. Out: a text that is shown as it stands, and back.

/// What begins a formula, or is skipped before one.
const BEGINS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The text with an apostrophe before it, where it could be taken for a formula, or looks as if that had been done.
pub fn neutral(text: &str) -> String {
    if text.trim_start_matches('\'').starts_with(BEGINS) { format!("'{text}") } else { text.to_owned() }
}

/// Undoes [`neutral`].
pub fn restored(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(BEGINS) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_shown_and_not_run() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+44 20", "'+44 20"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("'=1", "''=1"),
            ("'t Hooft", "'t Hooft"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(neutral(text), cell);
            assert_eq!(restored(cell), text);
        }
        assert_eq!(restored("=1"), "=1", "what a spreadsheet has stripped is left");
    }

    proptest! {
        #[test]
        fn what_goes_out_comes_back(text in "['=+@a \t\r\n-]{0,6}") {
            let cell = neutral(&text);
            prop_assert!(!cell.starts_with(BEGINS));
            prop_assert_eq!(restored(&cell), text);
        }
    }
}
