//! The segment audit as a page: a sentence, a forest plot, the strata and quotes for each outcome. In: the report. Out: HTML
//! that needs nothing else and loads nothing.

use askama::Template;

use super::bias::{BiasReport, Comparison, Contribution, Found, RULE};
use super::numbers::grouped;
use super::visible::visible_text;
use crate::stats::comparison::{Adjusted, Rate};
use crate::stats::decomposition::{Part, Parts};
use crate::stats::verdict::{FALSE_DISCOVERY, MIN_CLUSTERS, MIN_ROWS, Verdict};

#[derive(Template)]
#[template(path = "bias.html", config = "src/reports/askama.toml")]
struct Page<'a> {
    report: &'a BiasReport,
    cluster: &'a str,
    cases: String,
    left_out: String,
    disparities: Vec<&'a Comparison>,
    /// How many comparisons can say nothing.
    silent: usize,
    sections: Vec<Section<'a>>,
    rule: &'static str,
}

/// One outcome by one attribute.
struct Section<'a> {
    id: String,
    outcome: &'a str,
    meaning: &'a str,
    by: &'a str,
    reference: &'a str,
    reference_figure: String,
    plot: Plot,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    comparison: &'a Comparison,
    figure: String,
    adjusted: String,
    q: String,
    sentences: Vec<String>,
    strata: Vec<[String; 4]>,
}

/// A forest plot, in pixels.
struct Plot {
    height: usize,
    none_at: f64,
    ticks: Vec<(f64, String)>,
    marks: Vec<Mark>,
    caption: &'static str,
}

struct Mark {
    y: usize,
    name: String,
    low: f64,
    high: f64,
    at: f64,
    shown: bool,
    verdict: &'static str,
}

const LEFT: f64 = 190.0;
const WIDTH: f64 = 430.0;

impl BiasReport {
    /// The page.
    ///
    /// # Errors
    /// When the template cannot be filled, which does not happen.
    pub fn page(&self) -> Result<String, askama::Error> {
        let mut sections: Vec<Section<'_>> = Vec::new();
        for group in self.results.chunk_by(|a, b| a.by == b.by && a.outcome == b.outcome) {
            sections.extend(section(group, sections.len(), self.cluster_noun().unwrap_or("cluster")));
        }
        // What was found comes first, what cannot be told last.
        let rank = |s: &Section<'_>| s.rows.iter().map(|r| order(r.comparison.verdict)).min().unwrap_or(2);
        sections.sort_by_key(rank);
        Page {
            report: self,
            cluster: self.cluster_noun().unwrap_or_default(),
            cases: grouped(self.cases),
            left_out: grouped(self.left_out),
            disparities: self.results.iter().filter(|r| r.verdict == Verdict::Disparity).collect(),
            silent: self.results.iter().filter(|r| r.verdict == Verdict::Insufficient).count(),
            sections,
            rule: RULE,
        }
        .render()
        .map(|page| visible_text(&page))
    }
}

fn order(v: Verdict) -> u8 {
    match v {
        Verdict::Disparity => 0,
        Verdict::NoEvidence => 1,
        Verdict::Insufficient => 2,
    }
}

fn section<'a>(group: &'a [Comparison], number: usize, cluster: &str) -> Option<Section<'a>> {
    let first = group.first()?;
    let reference_figure = match &first.found {
        Found::Shares(s) if s.reference.n == 0 => "no case".to_owned(),
        Found::Shares(s) => format!("{} of {} cases", percent(s.reference.rate()), grouped(s.reference.n)),
        Found::Means(m) => format!("mean {:.2} over {} cases", m.reference.1, grouped(m.reference.0)),
    };
    Some(Section {
        id: format!("s{number}"),
        outcome: &first.outcome,
        meaning: &first.meaning,
        by: &first.by,
        reference: &first.reference,
        reference_figure,
        plot: plot(group),
        rows: group.iter().map(|c| row(c, cluster)).collect(),
    })
}

fn row<'a>(c: &'a Comparison, cluster: &str) -> Row<'a> {
    let (figure, adjusted) = match &c.found {
        Found::Shares(s) => (
            format!(
                "{} of {} ({}–{})",
                percent(s.segment.rate()),
                grouped(s.segment.n),
                percent(s.segment.ci.0),
                percent(s.segment.ci.1)
            ),
            s.logistic.map_or_else(|| "–".to_owned(), |a| interval("odds ×", a)),
        ),
        Found::Means(m) => (
            format!("{:.2} over {}", m.segment.1, grouped(m.segment.0)),
            m.linear.map_or_else(|| "–".to_owned(), |a| interval("", a)),
        ),
    };
    Row {
        comparison: c,
        figure,
        adjusted,
        q: c.q.map_or_else(|| "–".to_owned(), |q| if q < 0.001 { "< 0.001".to_owned() } else { format!("{q:.3}") }),
        sentences: sentences(c, cluster).into_iter().chain(c.corrected.iter().flat_map(|k| k.sentences(c))).collect(),
        strata: strata(c),
    }
}

fn strata(c: &Comparison) -> Vec<[String; 4]> {
    if !matches!(c.found, Found::Shares(_)) || c.strata.iter().all(|s| s.levels.is_empty()) {
        return Vec::new();
    }
    let rate = |(n, e): (u64, u64)| if n == 0 { "–".to_owned() } else { percent(e as f64 / n as f64) };
    c.strata
        .iter()
        .map(|s| {
            let cases = format!("{} / {}", grouped(s.segment.0), grouped(s.reference.0));
            [s.levels.join(", "), cases, rate(s.segment), rate(s.reference)]
        })
        .collect()
}

fn interval(unit: &str, a: Adjusted) -> String {
    format!("{unit}{} ({} to {})", number(a.estimate), number(a.ci.0), number(a.ci.1))
}

/// Two digits after the point; what is beyond all bounds is said to be so.
fn number(x: f64) -> String {
    match x.abs() {
        a if a >= 10_000.0 => "over 10000".to_owned(),
        a if a >= 100.0 => format!("{x:.0}"),
        _ => format!("{x:.2}"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// The result in words: what was measured, how large, how sure, and where the gap comes from.
fn sentences(c: &Comparison, cluster: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (adjusted, parts, unit) = match &c.found {
        Found::Shares(s) => {
            let rate = |r: &Rate| if r.n == 0 { "no case".to_owned() } else { percent(r.rate()) };
            out.push(format!(
                "{} in {} against {} in {}.",
                rate(&s.segment),
                c.segment,
                rate(&s.reference),
                c.reference
            ));
            (s.logistic, s.parts, Unit { scale: 100.0, name: " points" })
        }
        Found::Means(m) => {
            out.push(format!(
                "Mean {:.2} in {} against {:.2} in {}.",
                m.segment.1, c.segment, m.reference.1, c.reference
            ));
            (m.linear, m.parts, Unit { scale: 1.0, name: "" })
        }
    };
    out.extend(adjusted.map(|a| adjusted_sentence(c, &a)));
    match c.verdict {
        Verdict::Disparity => {
            let alone = if adjusted.is_some_and(|a| a.effective_clusters.is_some()) {
                format!(", and it holds when any one {cluster} is left out")
            } else {
                String::new()
            };
            out.push(format!("That is more than chance explains, with all comparisons counted{alone}."));
            out.extend(parts.map(|p| parts_sentence(&p, unit)));
            out.extend(clusters_sentence(c));
        }
        Verdict::NoEvidence => out.push(format!("That is within what chance gives.{}", would_have_shown(c))),
        Verdict::Insufficient => out.push(reason(c, cluster)),
    }
    out
}

#[derive(Clone, Copy)]
struct Unit {
    scale: f64,
    name: &'static str,
}

fn adjusted_sentence(c: &Comparison, a: &Adjusted) -> String {
    let nothing = c.strata.iter().all(|s| s.levels.is_empty());
    let held = if nothing { "With nothing held fixed" } else { "With the named causes held fixed" };
    match &c.found {
        Found::Shares(_) => format!(
            "{held}, the odds are {} times those of {} (95 % interval {} to {}).",
            number(a.estimate),
            c.reference,
            number(a.ci.0),
            number(a.ci.1)
        ),
        Found::Means(_) => {
            format!("{held}, the difference is {:+.2} (95 % interval {:+.2} to {:+.2}).", a.estimate, a.ci.0, a.ci.1)
        }
    }
}

fn would_have_shown(c: &Comparison) -> String {
    match &c.found {
        Found::Shares(s) => s.detectable.map_or_else(String::new, |d| {
            let way = if s.reference.rate() > 0.5 { "fall" } else { "rise" };
            format!(" A {way} of {:.1} points or more would most likely have shown.", d * 100.0)
        }),
        Found::Means(m) => m
            .detectable
            .map_or_else(String::new, |d| format!(" A difference of {d:.2} or more would most likely have shown.")),
    }
}

fn parts_sentence(p: &Parts, unit: Unit) -> String {
    let Unit { scale, name } = unit;
    let part = |p: Part| format!("{:+.1} ({:+.1} to {:+.1})", p.value * scale, p.ci.0 * scale, p.ci.1 * scale);
    let mut out = format!(
        "Of the raw gap of {:+.1}{name}, {} comes from another mix of the causes held fixed, {} from who serves the segment",
        p.gap * scale,
        part(p.mix),
        part(p.routing)
    );
    match p.treatment {
        Some(t) => out.push_str(&format!(
            ", and {} from how the same people treat the two; that last part rests on the {:.0} % of the segment's cases at people who serve both.",
            part(t),
            p.shared * 100.0
        )),
        None => out.push_str(". Nobody serves both, so nothing can be said of how the same people treat the two."),
    }
    out
}

fn clusters_sentence(c: &Comparison) -> Option<String> {
    if c.clusters.is_empty() {
        return None;
    }
    let each = |c: &Contribution| {
        let points = |x: f64| format!("{:+.0}", x * 100.0);
        format!(
            "{} ({} points over {} cases, 95 % interval {} to {})",
            c.cluster,
            points(c.difference),
            c.cases,
            points(c.ci.0),
            points(c.ci.1)
        )
    };
    let names: Vec<String> = c.clusters.iter().map(each).collect();
    Some(format!("Most of that last part is at {}; small numbers are drawn towards the mean of all.", names.join(", ")))
}

fn reason(c: &Comparison, cluster: &str) -> String {
    let (adjusted, few) = match &c.found {
        Found::Shares(s) => (s.logistic, s.overlap[0].min(s.overlap[2])),
        Found::Means(m) => (m.linear, m.overlap.0.min(m.overlap.1)),
    };
    if few < MIN_ROWS as f64 {
        return format!("Too few cases to say: {few:.0} in the smaller group where both occur.");
    }
    let Some(a) = adjusted else {
        return "Nothing can be said: the outcome does not vary, or the segment cannot be told from what is held fixed.".to_owned();
    };
    if a.effective_clusters.is_some_and(|g| g < MIN_CLUSTERS) {
        return format!("Nothing can be said: too few {cluster}s carry the comparison.");
    }
    if c.q.is_some_and(|q| q < FALSE_DISCOVERY) && !a.holds_without_any_one() {
        return format!("It does not hold when one {cluster} is left out, so nothing can be said of the segment.");
    }
    if a.p < FALSE_DISCOVERY && c.q.is_some_and(|q| q >= FALSE_DISCOVERY) {
        return "By itself this difference would be beyond chance; among so many comparisons it may be chance (the false discovery rate is above 5 %), so nothing is said.".to_owned();
    }
    "Only a large difference would have shown, so its absence is no comfort.".to_owned()
}

/// The adjusted estimates on one axis: odds ratios on a logarithmic one.
fn plot(group: &[Comparison]) -> Plot {
    let log = group.iter().all(|c| matches!(c.found, Found::Shares(_)));
    let value = |x: f64| if log { x.max(1e-6).ln() } else { x };
    let of = |c: &Comparison| match &c.found {
        Found::Shares(s) => s.logistic,
        Found::Means(m) => m.linear,
    };
    let reach = group
        .iter()
        .filter_map(of)
        .flat_map(|a| [a.ci.0, a.ci.1])
        .map(|x| value(x).abs())
        .filter(|x| x.is_finite())
        .fold(if log { 2.0_f64.ln() } else { 1e-9 }, f64::max)
        .min(if log { 400.0_f64.ln() } else { f64::MAX })
        * 1.08;
    let x = |v: f64| LEFT + WIDTH * f64::midpoint(value(v) / reach, 1.0).clamp(0.0, 1.0);
    let marks = group
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let a = of(c);
            let (low, high, at) = a.map_or((0.0, 0.0, 0.0), |a| (x(a.ci.0), x(a.ci.1), x(a.estimate)));
            let name = if c.segment.chars().count() > 24 {
                c.segment.chars().take(23).chain(['…']).collect()
            } else {
                c.segment.clone()
            };
            Mark { y: 30 + i * 26, name, low, high, at, shown: a.is_some(), verdict: c.verdict.name() }
        })
        .collect();
    let candidates: &[f64] = if log {
        if reach > 3.0 { &[0.01, 0.1, 1.0, 10.0, 100.0] } else { &[0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0] }
    } else {
        &[-1.0, -0.5, 0.0, 0.5, 1.0]
    };
    let ticks = candidates
        .iter()
        .map(|t| if log { *t } else { t * reach / 1.08 })
        .filter(|t| value(*t).abs() <= reach)
        .map(|t| (x(t), if log { t.to_string() } else { format!("{t:+.2}") }))
        .collect();
    Plot {
        height: 30 + group.len() * 26 + 34,
        none_at: x(if log { 1.0 } else { 0.0 }),
        ticks,
        marks,
        caption: if log {
            "Odds ratio with 95 % interval; the line at 1 is no difference"
        } else {
            "Difference of means with 95 % interval; the line at 0 is no difference"
        },
    }
}
