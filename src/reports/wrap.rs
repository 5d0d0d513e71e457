//! Lines of at most so many columns.

use unicode_segmentation::UnicodeSegmentation;

/// Breaks a text at spaces into lines of `width` characters, every line after `indent`. A word longer than a line stands alone.
pub fn wrap(text: &str, indent: &str, width: usize) -> String {
    let room = width.saturating_sub(indent.graphemes(true).count()).max(10);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let n = word.graphemes(true).count();
        if length > 0 && length + 1 + n > room {
            lines.push(format!("{indent}{line}"));
            line.clear();
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += n;
    }
    if length > 0 {
        lines.push(format!("{indent}{line}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let text = "one two three four five six seven eight nine ten eleven twelve";
        let out = wrap(text, "  ", 20);
        assert!(out.lines().all(|l| l.len() <= 20 && l.starts_with("  ")));
        assert_eq!(out.split_whitespace().collect::<Vec<_>>().join(" "), text);
        assert_eq!(wrap("", "  ", 20), "");
    }
}
