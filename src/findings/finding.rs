//! From verdicts to rows: the quote, the "why" and the agent of a violation.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::RULES;
use super::doc::Doc;
use super::rule::{Rule, Severity, Verdict, Violation};
use super::view::View;
use crate::signals::QUOTE;
use crate::turns::sentences;

/// One violation, as in `findings.jsonl`; the quote is not yet redacted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The transcript.
    pub transcript_id: String,
    /// The rule's id.
    pub rule: String,
    /// The evidence: the main turn first.
    pub turns: Vec<usize>,
    /// Words of the main turn, exactly.
    pub quote: String,
    /// Where they stand in the main turn, in characters.
    pub span: [usize; 2],
    /// How much harm it does.
    pub severity: Severity,
    /// How sure the program is, 0…1.
    pub confidence: f32,
    /// Who spoke for the company in the evidence; none where nobody did, or nobody is known.
    pub agent_id: Option<String>,
    /// What was seen, and why it matters.
    pub why: String,
    /// What to do instead.
    pub suggestion: String,
}

/// The judgement of all rules over one transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Each rule's id and verdict's name, in the order of [`RULES`].
    pub verdicts: Vec<(&'static str, &'static str)>,
    /// The violations, in the same order.
    pub findings: Vec<Finding>,
}

/// Applies every rule.
pub fn judge(view: &View<'_>) -> Judgement {
    let mut out = Judgement { verdicts: Vec::new(), findings: Vec::new() };
    for rule in RULES {
        let verdict = (rule.check)(view);
        out.verdicts.push((rule.id, verdict.name()));
        if let Verdict::Violated(violation) = verdict {
            out.findings.push(finding(rule, view, violation));
        }
    }
    out
}

fn finding(rule: &Rule, view: &View<'_>, v: Violation) -> Finding {
    let main = v.turns[0];
    let text = view.text(main);
    let bytes = quoted(text, v.evidence.map_or(0, |label| view.signals(main).focus(label)));
    let start = text[..bytes.start].chars().count();
    let quote = &text[bytes];
    let speaker = v.turns.iter().copied().find(|&i| view.role(i).is_company());
    Finding {
        transcript_id: view.transcript().id.clone(),
        rule: rule.id.to_owned(),
        span: [start, start + quote.chars().count()],
        quote: quote.to_owned(),
        severity: v.severity,
        confidence: (v.confidence.clamp(0.0, 1.0) * 1000.0).round() / 1000.0,
        agent_id: speaker.filter(|_| !rule.context).and_then(|i| view.transcript().agent_of(i)),
        why: format!("{} {}", v.seen, Doc::of(rule).line("Why it hurts the customer")),
        suggestion: v.suggestion,
        turns: v.turns,
    }
}

/// The whole turn where it is short, else the sentence at `focus` (a byte of the text) and as many after it as fit, else its
/// first characters up to a word.
fn quoted(text: &str, focus: usize) -> Range<usize> {
    let whole = text.len() - text.trim_start().len()..text.trim_end().len();
    if whole.is_empty() {
        return 0..0;
    }
    if text[whole.clone()].chars().count() <= QUOTE {
        return whole;
    }
    let sentences = sentences(text);
    let at = sentences.iter().position(|r| focus < r.end).unwrap_or(0);
    let start = sentences.get(at).map_or(whole.start, |r| r.start);
    let limit = text[start..].char_indices().nth(QUOTE).map_or(text.len(), |(i, _)| start + i);
    let fitting = sentences[at..].iter().map(|r| r.end).take_while(|&e| e <= limit).last();
    let word = text[start..limit].rfind(char::is_whitespace).map(|i| start + text[start..start + i].trim_end().len());
    start..fitting.or(word.filter(|&e| e > start)).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_part_of_its_turn_and_short() {
        let long = format!("{} Second sentence. {}", "First sentence here.", "Word ".repeat(100));
        for text in ["", "  ", " short ", &long, &"x".repeat(1000), &"é ".repeat(400), "😀"] {
            for focus in [0, 3, 30, 900, 5000] {
                let quote = &text[quoted(text, focus)];
                assert!(quote.chars().count() <= QUOTE && quote.trim() == quote, "{quote:?}");
            }
        }
        assert_eq!(&long[quoted(&long, 0)], "First sentence here. Second sentence.");
        let policy = format!("{} The terms do not allow it. Kind regards", "We thank you for your letter. ".repeat(12));
        assert_eq!(&policy[quoted(&policy, policy.find("terms").unwrap())], "The terms do not allow it. Kind regards");
    }
}
