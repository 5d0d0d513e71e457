//! A rule's documentation, read from the doc comment of its file.
//!
//! The headings are fixed, so that `evenhand rules`, the docs page and a finding's "why" come from one text.

use std::sync::LazyLock;

use regex::Regex;

use super::rule::Rule;
use crate::turns::pattern;

/// A share with its 95 % interval.
pub type Share = (f64, (f64, f64));

/// How often a rule's findings are right, and how many of what readers find it finds.
static MEASURED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"precision ([\d.]+) \(([\d.]+)–([\d.]+)\), recall ([\d.]+) \(([\d.]+)–([\d.]+)\)"));

/// The headings, in order.
const HEADINGS: [&str; 6] =
    ["What it finds", "Why it hurts the customer", "Example", "Say instead", "What it leaves alone", "Measured"];

/// A rule's documentation in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doc {
    /// Heading and text, in order.
    pub parts: Vec<(&'static str, String)>,
}

impl Doc {
    /// The documentation of a rule.
    pub fn of(rule: &Rule) -> Self {
        let lines = rule.source.lines().map_while(|l| l.strip_prefix("//!")).map(|l| l.strip_prefix(' ').unwrap_or(l));
        let mut parts: Vec<(&'static str, String)> = Vec::new();
        for line in lines {
            let heading = line.strip_prefix("# ").and_then(|h| HEADINGS.into_iter().find(|k| *k == h.trim()));
            if let Some(heading) = heading {
                parts.push((heading, String::new()));
            } else if let Some((_, text)) = parts.last_mut() {
                text.push_str(line);
                text.push('\n');
            }
        }
        parts.iter_mut().for_each(|(_, text)| *text = text.trim().to_owned());
        Self { parts }
    }

    /// The text under a heading; empty where there is none.
    pub fn part(&self, heading: &str) -> &str {
        self.parts.iter().find(|(h, _)| *h == heading).map_or("", |(_, text)| text)
    }

    /// The measured precision and recall; none where the rule was not measured.
    pub fn measured(&self) -> Option<(Share, Share)> {
        let line = self.line("Measured");
        let found = MEASURED.captures(&line)?;
        let number = |i: usize| found[i].parse::<f64>().ok();
        Some(((number(1)?, (number(2)?, number(3)?)), (number(4)?, (number(5)?, number(6)?))))
    }

    /// A part as one line.
    pub fn line(&self, heading: &str) -> String {
        self.part(heading).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::RULES;

    #[test]
    fn every_rule_has_every_part_in_order() {
        for rule in RULES {
            let doc = Doc::of(rule);
            let found: Vec<&str> = doc.parts.iter().map(|(h, _)| *h).collect();
            assert_eq!(found, HEADINGS, "{}", rule.id);
            assert!(doc.parts.iter().all(|(_, text)| text.len() > 20), "{} has a thin part", rule.id);
        }
    }

    #[test]
    fn what_was_measured_is_read_from_the_text() {
        for rule in RULES {
            let doc = Doc::of(rule);
            let told = doc.line("Measured").contains("precision");
            assert_eq!(doc.measured().is_some(), told, "{}", rule.id);
            if let Some((precision, recall)) = doc.measured() {
                for (share, (low, high)) in [precision, recall] {
                    assert!(0.0 <= low && low <= share && share <= high && high <= 1.0, "{}", rule.id);
                }
            }
        }
    }
}
