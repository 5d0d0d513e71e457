//! Counts as people write them.

/// A whole number with its thousands set off.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A count and what is counted, in the singular or the plural.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn counts_are_written_as_people_do() {
        assert_eq!(counted(1, "turn", "turns"), "1 turn");
        assert_eq!(counted(1_234_567, "turn", "turns"), "1,234,567 turns");
        assert_eq!(counted(0, "turn", "turns"), "0 turns");
    }
}
