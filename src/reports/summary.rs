//! What a run found, on one screen.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::numbers::{counted, grouped};
use super::wrap::wrap;
use crate::findings::{Finding, Judgement, RULES};
use crate::ingest::Reject;
use crate::stats::wilson;
use crate::tally::{LeftOut, RuleTally, Standing};
use crate::turns::RoleFault;

const WIDTH: usize = 80;
const SHOWN: usize = 5;

/// Counts of a run, and a telling example of each rule.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    read: u64,
    audited: u64,
    rejected: u64,
    turns: u64,
    seconds: f64,
    tally: RuleTally,
    examples: BTreeMap<String, Finding>,
    /// The first record that was rejected.
    pub first_reject: Option<Reject>,
    /// What the transcripts are like before any rule.
    pub standing: Standing,
    /// Turns that the small network left to the large one, where there are two.
    pub deferred: Option<u64>,
}

impl Summary {
    /// Takes in the judgement of one transcript.
    pub fn add(&mut self, judgement: Judgement) {
        self.tally.add(judgement.verdicts.iter().copied());
        for finding in judgement.findings {
            // The surest example; of equals the first.
            let better = self.examples.get(&finding.rule).is_none_or(|e| finding.confidence > e.confidence);
            if better {
                self.examples.insert(finding.rule.clone(), finding);
            }
        }
    }

    /// Sets the totals.
    pub fn counts(&mut self, read: u64, audited: u64, rejected: u64, turns: u64, seconds: f64) {
        (self.read, self.audited, self.rejected, self.turns, self.seconds) = (read, audited, rejected, turns, seconds);
    }

    /// Rules about the company with violations, the most frequent first.
    fn ranked(&self) -> Vec<(&'static str, u64, u64)> {
        let mut rows: Vec<_> = RULES
            .iter()
            .filter(|r| !r.context)
            .map(|r| (r.id, self.tally.of(r.id).violated, self.tally.of(r.id).applies()))
            .filter(|(_, violated, _)| *violated > 0)
            .collect();
        rows.sort_by_key(|(_, violated, _)| std::cmp::Reverse(*violated));
        rows
    }

    /// The summary as text of 80 columns. `out` is the run folder's name.
    pub fn text(&self, out: &str) -> String {
        let mut s = String::new();
        let speed = if self.seconds > 0.0 { self.turns as f64 / self.seconds } else { 0.0 };
        let _ = writeln!(
            s,
            "Audited {} ({}) in {:.1} s, {} turns a second.",
            counted(self.audited, "transcript", "transcripts"),
            counted(self.turns, "turn", "turns"),
            self.seconds,
            grouped(speed as u64)
        );
        if let Some(deferred) = self.deferred {
            let share = 100.0 * deferred as f64 / self.turns.max(1) as f64;
            let _ = writeln!(s, "{share:.0} % of the turns may decide much and were read again by the larger model.");
        }
        if let Some(reject) = &self.first_reject {
            let line = format!(
                "Rejected, and not judged: {} of {}. The first: {}, line {}: {}. All are in rejects.jsonl.",
                grouped(self.rejected),
                counted(self.read, "record", "records"),
                reject.source,
                reject.line,
                reject.reason
            );
            let _ = writeln!(s, "{}", wrap(&line, "", WIDTH));
        }
        for line in standing(&self.standing) {
            let _ = writeln!(s, "{}", wrap(&line, "", WIDTH));
        }
        let ranked = self.ranked();
        if self.audited == 0 {
            s.push_str("\nThere was no transcript to judge; evenhand doctor INPUT says what was recognised.\n");
        } else if ranked.is_empty() {
            s.push_str("\nNo rule was violated in what was read.\n");
        } else {
            s.push_str("\nMost frequent findings (share of the transcripts in which the rule applies, with\nits 95 % sampling interval; what the program misses or mistakes is not in it):\n");
        }
        for (rule, violated, applies) in ranked.iter().take(SHOWN) {
            let (low, high) = wilson(*violated, *applies);
            let share = 100.0 * *violated as f64 / (*applies).max(1) as f64;
            let _ = writeln!(
                s,
                "\n  {rule:<20} {violated} of {applies}: {share:.0} % ({:.0}–{:.0} %)",
                low * 100.0,
                high * 100.0
            );
            if let Some(f) = self.examples.get(*rule) {
                let quote = format!(
                    "“{}” ({}, turn {})",
                    f.quote.split_whitespace().collect::<Vec<_>>().join(" "),
                    f.transcript_id,
                    f.turns[0]
                );
                let _ = writeln!(s, "{}", wrap(&quote, "    ", WIDTH));
            }
        }
        let run = if out.contains(char::is_whitespace) { format!("\"{out}\"") } else { out.to_owned() };
        s.push_str("\nNext: read it as a page, agent by agent, or check it by reading some yourself.\n");
        let _ = writeln!(s, "  evenhand report {run} --out report");
        let _ = writeln!(s, "  evenhand coach {run} --out coaching");
        let _ = writeln!(s, "  evenhand sample {run} --size 100 --out sample.jsonl");
        if let Some((rule, ..)) = ranked.first() {
            let _ = writeln!(s, "What a rule means: evenhand rules {rule}");
        }
        let last = format!("Every finding, with its quote and reason, is in {out}, in findings.jsonl.");
        let _ = writeln!(s, "{}", wrap(&last, "", WIDTH));
        s
    }

    /// The same figures for `--json`.
    pub fn json(&self) -> Value {
        let rules: Vec<Value> = RULES
            .iter()
            .map(|r| {
                let c = self.tally.of(r.id);
                // What is only about the customer applies to every conversation.
                let of = if r.context { self.audited } else { c.applies() };
                let (low, high) = wilson(c.violated, of);
                let rate = (of > 0).then(|| c.violated as f64 / of as f64);
                let interval = rate.map(|_| [low, high]);
                json!({"rule": r.id, "violated": c.violated, "ok": c.ok, "not_applicable": c.not_applicable, "rate": rate, "interval": interval})
            })
            .collect();
        json!({"read": self.read, "audited": self.audited, "rejected": self.rejected, "skipped": self.standing.skipped(), "standing": self.standing, "turns": self.turns, "deferred": self.deferred, "seconds": self.seconds, "rules": rules})
    }
}

/// What was left out and what is in doubt, in sentences.
pub(super) fn standing(standing: &Standing) -> Vec<String> {
    let mut out = Vec::new();
    let left = |why| standing.left_out.get(&why).copied().unwrap_or_default();
    if left(LeftOut::Language) > 0 {
        let languages: Vec<String> = standing.languages.iter().map(|(l, n)| format!("{l} {n}")).collect();
        out.push(format!(
            "In a language that the model was not trained for: {}, marked, and in no rate. Languages: {}.",
            counted(left(LeftOut::Language), "transcript", "transcripts"),
            languages.join(", ")
        ));
    }
    if left(LeftOut::Roles) > 0 {
        out.push(format!(
            "With roles in more doubt than --max-role-doubt allows: {}, marked, and in no rate.",
            counted(left(LeftOut::Roles), "transcript", "transcripts")
        ));
    }
    let doubts: Vec<String> = standing.role_doubts.iter().map(|(why, n)| format!("{} {n}", meaning(*why))).collect();
    if !doubts.is_empty() {
        out.push(format!(
            "Who is customer and who agent is in doubt (0.5 or more) in some transcripts: {}.",
            doubts.join(", ")
        ));
    }
    out
}

/// A doubt about roles in words.
pub(super) fn meaning(why: RoleFault) -> &'static str {
    match why {
        RoleFault::OneSided => "one side only",
        RoleFault::Swapped => "sides perhaps swapped",
        RoleFault::Missing => "turns without a speaker",
        RoleFault::Guessed => "sides guessed from the wording",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_input_is_not_praised() {
        let mut summary = Summary::default();
        assert!(summary.text("run").contains("no transcript to judge"));
        summary.counts(1, 1, 0, 2, 0.1);
        assert!(summary.text("run").contains("No rule was violated"));
    }
}
