//! Text that shows what it is: without control characters, and without those that turn the direction of writing.

/// Whether a character may stand in a page or on a terminal.
pub(super) fn visible(c: char) -> bool {
    let turns = ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    !turns && (!c.is_control() || c == '\n' || c == '\t')
}

/// The same text with a replacement mark in place of each character that may not stand in a page or on a terminal.
pub fn visible_text(text: &str) -> String {
    text.chars().map(|c| if visible(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::visible_text;

    #[test]
    fn tricks_are_marked() {
        assert_eq!(visible_text("a\u{0}b\u{202e}c\n😀é"), "a\u{fffd}b\u{fffd}c\n😀é");
    }
}
