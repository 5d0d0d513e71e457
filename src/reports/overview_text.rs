//! The overview as Markdown: the same figures and quotes, for a wiki or a ticket. In: the report. Out: text.

use std::fmt::Write;

use super::coach::titled;
use super::coach_page::duration;
use super::markdown::{plain, quoted, table};
use super::numbers::{counted, grouped};
use super::overview::{Overview, SHOWN};
use super::overview_labels::{HEAD, Labelled};
use super::overview_page::{cells, gap_sentence, group_title, marked, rate_text, segment_rows, share, with_interval};
use super::plots::signed;

/// What the figures do not say, on the page and in the text alike.
pub(super) const FINDING: &str = "A finding is a place to look, not a verdict on a person. What a program reads can be wrong: read the words before anything else.";
pub(super) const CHANCE: &str = "Intervals are about chance; what the program misses or mistakes is not in them.";
pub(super) const HINTS: &str = "* Hints: the program was right in fewer than half of such findings when careful readers checked, or it was not checked. They are places to read, and no count.";
pub(super) const ALIKE: &str = "Problems are put together by the telling words of their first reports and by how near these words lie to each other in the language model. The same trouble may still be two groups, and a group may hold more than one trouble: read the quotes. Rising: more of a group's conversations began in the last quarter of the weeks than the share of all problems that did, by the exact binomial test, with all groups counted (Benjamini and Hochberg 1995, q at most 0.05).";
pub(super) const SCORED: &str = "Only customers who gave a score are here, and they are not like the others.";
pub(super) const REMEDIES: &str = "A remedy is money, credit or a replacement, given or offered. The four differ in what went wrong, too: this shows what goes together, not what causes what.";
pub(super) const DISPARITY: &str =
    "A disparity is a difference beyond chance; it does not say why, or what anybody meant.";

impl Overview {
    /// The text.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let [read, audited, rejected, turns] = self.counts;
        let period = self.period.as_ref().map_or_else(String::new, |(a, b)| format!(", weeks from {a} to {b}"));
        let _ = writeln!(out, "# Overview of {}\n", plain(&self.source));
        let _ = writeln!(
            out,
            "{}, {}{period}; rejected: {} of {}. With at least one finding: {}.\n",
            counted(audited, "conversation", "conversations"),
            counted(turns, "turn", "turns"),
            grouped(rejected),
            counted(read, "record", "records"),
            with_interval(self.with_finding.0, self.with_finding.1)
        );
        let _ = writeln!(out, "{FINDING} {CHANCE}\n");
        for sentence in self.lead() {
            let _ = writeln!(out, "- {}", plain(&sentence));
        }
        out.push_str("\n## Rules\n\n");
        let rules = self
            .rules
            .iter()
            .map(|r| vec![marked(r.rule), if r.rate.is_some() { rate_text(r) } else { "applies to none".to_owned() }]);
        table(&mut out, &["rule", "found in"], rules);
        let _ = writeln!(out, "\n{}", plain(HINTS));
        if let Some(l) = self.labels.as_ref().map(Labelled::new) {
            let _ = writeln!(out, "\n## Rates that people's labels stand behind\n\n{}\n", plain(&l.sentence));
            table(&mut out, &HEAD, l.rows.into_iter().map(Vec::from));
            l.notes.iter().for_each(|n| out.push_str(&format!("\n{}\n", plain(n))));
        }
        for r in self.rules.iter().filter(|r| !r.context) {
            if let Some(q) = &r.quote {
                let _ = writeln!(out, "\n**{}**", titled(r.rule));
                quoted(&mut out, &q.text, &q.transcript, q.turn);
            }
        }
        for b in &self.breakdowns {
            let _ = writeln!(out, "\n## By {}\n", plain(&b.by));
            let shown = self.commonest(6);
            let names: Vec<String> = shown.iter().map(|r| marked(r)).collect();
            let head: Vec<&str> = ["", "conversations"].into_iter().chain(names.iter().map(String::as_str)).collect();
            let rows = b.levels.iter().take(SHOWN).map(|l| {
                let rate = |rule: &&str| {
                    let (_, cases, found) = l.rules.iter().find(|(r, ..)| r == rule).copied().unwrap_or(("", 0, 0));
                    if cases < super::overview::ENOUGH_OF_A_LEVEL { "–".to_owned() } else { share(found, cases) }
                };
                [l.name.clone(), grouped(l.conversations)].into_iter().chain(shown.iter().map(rate)).collect()
            });
            table(&mut out, &head, rows);
        }
        self.journey(&mut out);
        self.problems(&mut out);
        out.push_str("\n## Data\n\n");
        table(&mut out, &["what", "how many", "what follows"], self.quality_rows().into_iter().map(Vec::from));
        out
    }

    fn journey(&self, out: &mut String) {
        if let Some(arc) = &self.arc {
            let means: Vec<String> = arc.own.iter().map(|a| signed(a.0)).collect();
            let _ = writeln!(
                out,
                "\n## Customers' sentiment\n\nMeans over {} conversations, from the first turn to the last: {}.",
                grouped(arc.cases),
                means.join(", ")
            );
        }
        out.push_str("\n## Stages\n\n");
        let rows = self.stages.iter().zip(self.stage_findings()).map(|(s, (name, findings))| {
            let all: u64 = s.sentiment.iter().sum();
            vec![name, share(s.sentiment[0], all), share(s.sentiment[2], all), findings]
        });
        table(out, &["stage", "negative", "positive", "findings"], rows);
        if !self.replies.is_empty() {
            out.push_str("\n## First replies\n\n");
            let rows = self.replies.iter().map(|r| {
                vec![
                    r.channel.clone(),
                    grouped(r.cases),
                    duration(r.quantiles[2]),
                    duration(r.quantiles[4]),
                    duration(r.limit),
                    with_interval(r.within, r.cases),
                ]
            });
            table(out, &["channel", "replies", "median", "90 %", "due within", "in time (95 % interval)"], rows);
        }
        out.push_str("\n## After a problem\n\n");
        let head =
            ["given", "conversations", "sentiment in the last turn (95 % interval)", "ended negative (95 % interval)"];
        table(out, &head, self.remedies().into_iter().map(Vec::from));
        let _ = writeln!(out, "\n{REMEDIES}");
    }

    fn problems(&self, out: &mut String) {
        if !self.repeated.issues.is_empty() {
            out.push_str("\n## Problems by issue\n\n");
            let head = ["issue", "conversations with a problem", "recent", "expected", ""];
            table(out, &head, self.issue_rows().into_iter().map(Vec::from));
        }
        if !self.repeated.groups.is_empty() {
            let _ = writeln!(out, "\n## Problems that come back\n\n{ALIKE}");
            for g in &self.repeated.groups {
                let _ = writeln!(
                    out,
                    "\n**{}**{} {}",
                    plain(&group_title(g)),
                    if g.rising { " (rising)" } else { "" },
                    self.group_sentence(g)
                );
                g.quotes.iter().for_each(|q| quoted(out, &q.text, &q.transcript, q.turn));
            }
        }
        if let Some(g) = &self.gap {
            let _ = writeln!(out, "\n## Scores against transcripts\n\n{}\n", plain(&gap_sentence(g)));
            let [low, high] = cells(g);
            let rows =
                [("low score", low), ("high score", high)].map(|(n, c)| [n.to_owned()].into_iter().chain(c).collect());
            table(out, &["", "troubled", "clean"], rows.into_iter());
            for (name, quotes) in [
                ("High score, troubled transcript", &g.glad_but_troubled),
                ("Low score, clean transcript", &g.low_but_clean),
            ] {
                if !quotes.is_empty() {
                    let _ = writeln!(out, "\n**{name}**");
                    quotes.iter().for_each(|q| quoted(out, &q.text, &q.transcript, q.turn));
                }
            }
            let _ = writeln!(out, "\n{SCORED}");
        }
        if let Some(s) = &self.segments {
            let [d, n, i] = s.verdicts;
            let _ = writeln!(
                out,
                "\n## Segments\n\n{d} disparities, {n} without evidence of one, {i} with too little to say ({}). {DISPARITY}\n",
                plain(&s.source)
            );
            table(
                out,
                &["outcome", "by", "segment", "odds ratio", "verdict"],
                segment_rows(s).into_iter().map(Vec::from),
            );
        }
    }
}
