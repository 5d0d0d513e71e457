//! The overview as a page. In: the report. Out: HTML that needs nothing else and loads nothing.

use askama::Template;

use super::coach::{Arc, counts, titled};
use super::coach_page::{duration, trust};
use super::numbers::{counted, grouped};
use super::overview::{Breakdown, ENOUGH_OF_A_LEVEL, Gap, Group, Overview, Quote, RuleRow, SHOWN, Segments};
use super::overview_labels::{HEAD, Labelled};
use super::overview_text::{CHANCE, HINTS};
use super::plots::{Bar, Plot, Scale, Times, arc, percent, rows, signed, spread, strip, trend};
use super::visible::visible_text;
use crate::findings::{Doc, RULES};
use crate::stats::wilson;

#[derive(Template)]
#[template(path = "report.html", config = "src/reports/askama.toml")]
struct Page<'a> {
    report: &'a Overview,
    cards: Vec<(String, String)>,
    lead: Vec<String>,
    rates: Plot,
    labelled: Option<Labelled>,
    label_head: [&'static str; 6],
    rules: Vec<Explained<'a>>,
    context: Vec<String>,
    strips: Vec<(String, Plot, String)>,
    weeks: Option<Plot>,
    arc: Option<Plot>,
    stages: Plot,
    stage_findings: Vec<(String, String)>,
    replies: Option<Plot>,
    groups: Vec<Shown<'a>>,
    issues: Vec<[String; 5]>,
    gap: Option<(String, [[String; 2]; 2], &'a Gap)>,
    remedies: Vec<[String; 4]>,
    segments: Option<Audited<'a>>,
    quality: Vec<[String; 3]>,
}

/// A rule with its clearest finding.
struct Explained<'a> {
    title: String,
    why: String,
    found: String,
    measured: String,
    quote: Option<&'a Quote>,
}

struct Shown<'a> {
    title: String,
    sentence: String,
    rising: bool,
    quotes: &'a [Quote],
}

/// A segment audit.
struct Audited<'a> {
    found: &'a Segments,
    plot: Option<Plot>,
    rows: Vec<[String; 5]>,
}

/// Rules that are explained and that a strip has as columns.
const EXPLAINED: usize = 5;
const COLUMNS: usize = 4;

impl Overview {
    /// The page.
    ///
    /// # Errors
    /// When the template cannot be filled, which does not happen.
    pub fn page(&self) -> Result<String, askama::Error> {
        let company: Vec<&RuleRow> = self.rules.iter().filter(|r| !r.context).collect();
        Page {
            report: self,
            cards: self.cards(),
            lead: self.lead(),
            rates: rates(&company),
            labelled: self.labels.as_ref().map(Labelled::new),
            label_head: HEAD,
            rules: company.iter().filter(|r| r.found > 0).take(EXPLAINED).map(|r| explained(r)).collect(),
            context: self.rules.iter().filter(|r| r.context && r.found > 0).map(context).collect(),
            strips: self.breakdowns.iter().enumerate().map(|(i, b)| self.breakdown(i, b)).collect(),
            weeks: self.trend(),
            arc: self.sentiment(),
            stages: self.touchpoints(),
            stage_findings: self.stage_findings(),
            replies: self.waiting(),
            groups: self.repeated.groups.iter().map(|g| self.group(g)).collect(),
            issues: self.issue_rows(),
            gap: self.gap.as_ref().map(|g| (gap_sentence(g), cells(g), g)),
            remedies: self.remedies(),
            segments: self.segments.as_ref().map(|s| Audited { found: s, plot: forest(s), rows: segment_rows(s) }),
            quality: self.quality_rows(),
        }
        .render()
        .map(|page| visible_text(&page))
    }

    /// The figures at the top.
    fn cards(&self) -> Vec<(String, String)> {
        let [read, audited, rejected, turns] = self.counts;
        let (found, all) = self.with_finding;
        let mut out = vec![
            (grouped(audited), format!("conversations, {} turns", grouped(turns))),
            (share(found, all), "have at least one finding".to_owned()),
        ];
        if let Some(arc) = &self.arc {
            let (start, end) = (arc.own[0].0, arc.own[arc.own.len() - 1].0);
            out.push((
                format!("{} → {}", signed(start), signed(end)),
                "customers' mean sentiment, first turn to last (−1 to 1)".to_owned(),
            ));
        }
        if rejected > 0 {
            out.push((grouped(rejected), format!("of {} records could not be read", grouped(read))));
        }
        out
    }

    /// The sentences at the top.
    pub(super) fn lead(&self) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(r) = self.rules.iter().find(|r| !r.context && r.found > 0 && counts(r.rule)) {
            out.push(format!(
                "Of the rules that are right more often than not, “{}” has the highest rate: {}.",
                titled(r.rule),
                rate_text(r)
            ));
        }
        let all = self.repeated.issues.iter().chain(&self.repeated.groups);
        let rising: Vec<String> = all.filter(|g| g.rising).map(group_title).collect();
        match (rising.as_slice(), &self.repeated.recent_from) {
            ([], Some(_)) => out.push("No problem that comes back is rising beyond chance.".to_owned()),
            ([], None) => {}
            (list, _) => out.push(format!("Rising beyond chance: {}.", list.join("; "))),
        }
        if let Some(s) = &self.segments {
            out.push(match s.verdicts {
                [0, none, little] => format!("The segment audit made {} comparisons: in {none} no difference beyond chance was seen, in {little} there was too little to say.", none + little),
                [n, none, little] => format!("The segment audit found {n} of {} comparisons to differ beyond chance.", n + none + little),
            });
        }
        out
    }

    /// The rules with most findings.
    pub(super) fn commonest(&self, most: usize) -> Vec<&'static str> {
        let mut out: Vec<&RuleRow> = self.rules.iter().filter(|r| !r.context && r.found > 0).collect();
        out.sort_by_key(|r| std::cmp::Reverse(r.found));
        out.into_iter().take(most).map(|r| r.rule).collect()
    }

    fn breakdown(&self, place: usize, b: &Breakdown) -> (String, Plot, String) {
        let shown = self.commonest(COLUMNS);
        let names: Vec<String> = shown.iter().map(|r| marked(r)).collect();
        let columns: Vec<&str> = names.iter().map(String::as_str).collect();
        let lines: Vec<(String, Vec<Option<f64>>)> = b
            .levels
            .iter()
            .take(SHOWN)
            .map(|level| {
                let of = |rule: &&str| {
                    let (_, cases, found) = level.rules.iter().find(|(r, ..)| r == rule)?;
                    (*cases >= ENOUGH_OF_A_LEVEL).then(|| *found as f64 / *cases as f64)
                };
                (level.name.clone(), shown.iter().map(of).collect())
            })
            .collect();
        let title = format!("Rates by {}", b.by);
        let description = format!(
            "The share of conversations with a finding, for the {} rules with most findings; darker is more. A dash: fewer than {ENOUGH_OF_A_LEVEL} conversations to which the rule applies. Levels have different cases, and small numbers swing: a difference here is no finding about anybody.",
            columns.len()
        );
        let hidden = b.levels.iter().skip(SHOWN);
        let (levels, cases) = hidden.fold(b.others, |(levels, cases), l| (levels + 1, cases + l.conversations));
        let others = match levels {
            0 => String::new(),
            n => format!(
                "Not shown: {} with {} conversations; rates.csv has the {} largest.",
                counted(n, "smaller one", "smaller ones"),
                grouped(cases),
                b.levels.len()
            ),
        };
        (title.clone(), strip(&format!("strip{place}"), &title, &description, &columns, &lines), others)
    }

    fn trend(&self) -> Option<Plot> {
        if self.weeks.len() < 2 {
            return None;
        }
        let each = if self.weeks_together == 1 { "week by week" } else { "four weeks at a time" };
        let description =
            format!("The share of conversations with at least one finding, {each}, with its 95 % interval.");
        Some(trend("weeks", "Conversations with a finding, over time", &description, &self.weeks, ""))
    }

    fn sentiment(&self) -> Option<Plot> {
        let Arc { cases, own, .. } = self.arc.as_ref()?;
        let description = format!(
            "The mean sentiment of customers' turns over {} conversations, from −1 (all negative) to 1 (all positive), with 95 % intervals.",
            grouped(*cases)
        );
        Some(arc("arc", "From first turn to last", &description, own, None, ""))
    }

    fn touchpoints(&self) -> Plot {
        let lines: Vec<(String, Vec<Option<f64>>)> = self
            .stages
            .iter()
            .map(|s| {
                let all: u64 = s.sentiment.iter().sum();
                let of = |n: &u64| (all > 0).then(|| *n as f64 / all as f64);
                (titled(s.name), s.sentiment.iter().map(of).collect())
            })
            .collect();
        let description = "How customers' turns sound at each stage. The opening is the first exchange, the closing the last turn of each side; between them the resolution begins with the first promise, remedy or other way that the company offers.";
        strip("stages", "How customers sound at each stage", description, &["negative", "neutral", "positive"], &lines)
    }

    pub(super) fn stage_findings(&self) -> Vec<(String, String)> {
        let list = |findings: &[(&str, u64)]| {
            let top: Vec<String> = findings.iter().take(4).map(|(r, n)| format!("{} ({n})", titled(r))).collect();
            if top.is_empty() { "none".to_owned() } else { top.join(", ") }
        };
        self.stages.iter().map(|s| (titled(s.name), list(&s.findings))).collect()
    }

    fn waiting(&self) -> Option<Plot> {
        let times: Vec<Times> = self
            .replies
            .iter()
            .map(|r| Times {
                name: r.channel.clone(),
                quantiles: r.quantiles,
                limit: r.limit,
                cases: (r.cases, r.within),
            })
            .collect();
        let description = "Time to the first reply: the box holds the middle half, its thick line is the median, the thin line goes from the fastest tenth to the slowest; the dashed tick is the limit. The axis is logarithmic.";
        (!times.is_empty()).then(|| spread("replies", "First replies by channel", description, &times, duration))
    }

    fn group<'a>(&self, g: &'a Group) -> Shown<'a> {
        Shown { title: group_title(g), sentence: self.group_sentence(g), rising: g.rising, quotes: &g.quotes }
    }

    pub(super) fn issue_rows(&self) -> Vec<[String; 5]> {
        let row = |g: &Group| {
            let verdict = match g.q {
                None => "–".to_owned(),
                Some(q) if g.rising => format!("▲ rising (q {})", small(q)),
                Some(_) => "within chance".to_owned(),
            };
            [
                group_title(g),
                grouped(g.conversations),
                grouped(g.recent.0),
                format!("{:.1}", g.expected_recent),
                verdict,
            ]
        };
        self.repeated.issues.iter().map(row).collect()
    }

    pub(super) fn group_sentence(&self, g: &Group) -> String {
        let mut out = format!(
            "{} of {} conversations with a problem ({}).",
            grouped(g.conversations),
            grouped(self.repeated.read),
            percent(g.conversations as f64 / self.repeated.read.max(1) as f64)
        );
        if let (Some(from), Some(q)) = (&self.repeated.recent_from, g.q) {
            let (late, all) = g.recent;
            out.push_str(&format!(
                " {late} of {all} began in the weeks since {from}, where its share of the time gives {:.1}{}.",
                g.expected_recent,
                if g.rising {
                    format!(": more than chance gives (q {})", small(q))
                } else {
                    ": within what chance gives".to_owned()
                }
            ));
        }
        out
    }

    pub(super) fn remedies(&self) -> Vec<[String; 4]> {
        let row = |r: &super::overview::Remedy| {
            let end = r.end.map_or_else(
                || "too few".to_owned(),
                |(mean, (low, high))| format!("{} ({} to {})", signed(mean), signed(low), signed(high)),
            );
            let negative =
                if r.conversations == 0 { "–".to_owned() } else { with_interval(r.ended_negative, r.conversations) };
            [titled(r.name), grouped(r.conversations), end, negative]
        };
        self.remedies.iter().map(row).collect()
    }

    pub(super) fn quality_rows(&self) -> Vec<[String; 3]> {
        let row = |q: &super::overview::Quality| {
            let (n, of) = q.count;
            [q.what.clone(), format!("{} of {} ({})", grouped(n), grouped(of), share(n, of)), q.meaning.to_owned()]
        };
        self.quality.iter().map(row).collect()
    }
}

pub(super) fn share(n: u64, of: u64) -> String {
    if of == 0 { "–".to_owned() } else { percent(n as f64 / of as f64) }
}

pub(super) fn with_interval(n: u64, of: u64) -> String {
    let (low, high) = wilson(n, of);
    format!("{} ({} to {})", share(n, of), percent(low), percent(high))
}

fn small(q: f64) -> String {
    if q < 0.001 { "below 0.001".to_owned() } else { format!("{q:.3}") }
}

/// A rule's rate in words.
pub(super) fn rate_text(r: &RuleRow) -> String {
    match r.rate {
        None => "it applies to no conversation".to_owned(),
        Some((rate, (low, high))) => format!(
            "{} of {} conversations to which it applies, {} (95 % interval {} to {})",
            grouped(r.found),
            grouped(r.cases),
            percent(rate),
            percent(low),
            percent(high)
        ),
    }
}

/// A rule's name, with a star where its findings are hints.
pub(super) fn marked(rule: &str) -> String {
    if counts(rule) { titled(rule) } else { format!("{} *", titled(rule)) }
}

fn rates(company: &[&RuleRow]) -> Plot {
    let bar = |r: &&RuleRow| Bar { name: marked(r.rule), value: r.rate, expected: None, cases: r.cases };
    let bars: Vec<Bar> = company.iter().map(bar).collect();
    let description = format!(
        "For each rule the share of the conversations to which it applies that have a finding, with its 95 % interval. {CHANCE} {HINTS}"
    );
    let description = &description;
    rows("rates", "How often each rule is not kept", description, &bars, Scale::Share, "")
}

fn explained<'a>(r: &'a RuleRow) -> Explained<'a> {
    let doc = RULES.iter().find(|rule| rule.id == r.rule).map(|rule| Doc::of(rule));
    let part = |heading: &str| doc.as_ref().map_or_else(String::new, |d| d.line(heading));
    Explained {
        title: titled(r.rule),
        why: format!("{} {}", part("What it finds"), part("Why it hurts the customer")),
        found: format!("Found in {}.", rate_text(r)),
        measured: trust(r.rule),
        quote: r.quote.as_ref(),
    }
}

fn context(r: &RuleRow) -> String {
    format!(
        "{}: {} of {} conversations ({}). It is about the customer, and never counts against anybody.",
        titled(r.rule),
        grouped(r.found),
        grouped(r.cases),
        share(r.found, r.cases)
    )
}

pub(super) fn group_title(g: &Group) -> String {
    g.words.join(", ")
}

pub(super) fn gap_sentence(g: &Gap) -> String {
    format!(
        "{} conversations have a score ({}). Low is {} or less, high {} or more. A transcript is troubled where the customer's last turn is negative or a finding is of high severity, and clean where there is no finding and the last turn is not negative.",
        grouped(g.scored),
        g.score,
        g.low_high.0,
        g.low_high.1
    )
}

pub(super) fn cells(g: &Gap) -> [[String; 2]; 2] {
    g.cells.map(|row| row.map(grouped))
}

fn forest(s: &Segments) -> Option<Plot> {
    let bars: Vec<Bar> = s
        .rows
        .iter()
        .filter(|r| r.odds.is_some())
        .map(|r| Bar {
            name: format!("{}: {}", r.segment, titled(&r.outcome)),
            value: r.odds,
            expected: None,
            cases: r.cases,
        })
        .collect();
    let description = "Odds ratio of each outcome in a segment against its reference, with the named causes held fixed, and its 95 % interval; the dashed line at 1 is no difference.";
    (!bars.is_empty())
        .then(|| rows("segments", "Segments against their reference", description, &bars, Scale::Odds, ""))
}

pub(super) fn segment_rows(s: &Segments) -> Vec<[String; 5]> {
    let row = |r: &super::overview::SegmentRow| {
        let odds = r.odds.map_or_else(|| "–".to_owned(), |(o, (l, h))| format!("{o:.2} ({l:.2} to {h:.2})"));
        [titled(&r.outcome), r.by.clone(), format!("{} against {}", r.segment, r.reference), odds, r.verdict.clone()]
    };
    s.rows.iter().map(row).collect()
}
