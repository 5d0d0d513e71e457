//! Markdown in which the words of customers, agents and files are never markup. In: text. Out: text.

use std::fmt::Write;

use super::visible::visible;

/// A quote with the place where it stands; nothing where there are no words.
pub(super) fn quoted(out: &mut String, text: &str, transcript: &str, turn: usize) {
    if !text.is_empty() {
        let _ = writeln!(out, "\n> “{}” ({}, turn {turn})", plain(text), plain(transcript));
    }
}

/// A table; no cell is markup.
pub(super) fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(head.iter().map(|h| plain(h)).collect()));
    out.push_str(&line(head.iter().map(|_| "---".to_owned()).collect()));
    rows.for_each(|row| out.push_str(&line(row.iter().map(|c| plain(c)).collect())));
}

/// A text in which nothing is taken for Markdown or HTML.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '>' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c if visible(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn words_are_never_markup() {
        assert_eq!(plain("a | <b> [x](y)\n# *z*"), "a \\| &lt;b\\> \\[x\\](y) \\# \\*z\\*");
    }
}
