//! Coaching reports as pages: one a person, and an index. In: the report. Out: HTML that needs nothing else and loads nothing.

use askama::Template;

use super::coach::{
    AgentReport, Coaching, ENOUGH, ENOUGH_OF_A_RULE, Focus, Good, Mix, Moment, Rate, ReadAgain, Response, Reviewed,
    Standing, TakenBack, counts, titled,
};
use super::numbers::{counted, grouped};
use super::plots::{Bar, Funnel, Plot, Scale, arc, funnel, percent, rows, trend};
use super::visible::visible_text;
use crate::findings::{Doc, Piece, RULES, Share};
use crate::stats::shrinkage::MIN_UNITS;

#[derive(Template)]
#[template(path = "coach.html", config = "src/reports/askama.toml")]
pub(super) struct Page<'a> {
    pub(super) report: &'a AgentReport,
    pub(super) agent: String,
    pub(super) text_file: String,
    pub(super) basis: String,
    pub(super) apart: Vec<String>,
    pub(super) missing: &'a [String],
    pub(super) good: &'a [Good],
    pub(super) kept: Vec<String>,
    pub(super) lead: String,
    pub(super) focuses: Vec<Section<'a>>,
    pub(super) read_again: Option<(String, Vec<(String, &'a TakenBack)>)>,
    pub(super) rates: Option<Plot>,
    pub(super) weeks: Option<Plot>,
    pub(super) arc: Option<Plot>,
    pub(super) responses: Vec<[String; 6]>,
    pub(super) mix: Vec<[String; 4]>,
}

/// A focus in words.
pub(super) struct Section<'a> {
    pub(super) title: String,
    pub(super) finds: String,
    pub(super) why: String,
    pub(super) measured: String,
    pub(super) stands: String,
    pub(super) funnel: Option<Plot>,
    pub(super) moments: Vec<Shown<'a>>,
}

pub(super) struct Shown<'a> {
    pub(super) moment: &'a Moment,
    pub(super) sure: String,
    pub(super) reviewed: &'static str,
    /// What each piece is, whether a space stands before it, and its text.
    pub(super) wording: Vec<(&'static str, bool, String)>,
}

#[derive(Template)]
#[template(path = "coach_index.html", config = "src/reports/askama.toml")]
struct Index<'a> {
    report: &'a Coaching,
    conversations: String,
    rows: Vec<Listed<'a>>,
}

struct Listed<'a> {
    agent: String,
    file: &'a str,
    conversations: String,
    period: String,
    focuses: String,
}

impl Coaching {
    /// One person's page.
    ///
    /// # Errors
    /// When the template cannot be filled, which does not happen.
    pub fn page(&self, report: &AgentReport) -> Result<String, askama::Error> {
        self.parts(report).render().map(|page| visible_text(&page))
    }

    /// What stands on one person's page, in words.
    pub(super) fn parts<'a>(&'a self, report: &'a AgentReport) -> Page<'a> {
        Page {
            report,
            agent: shown_id(&report.agent),
            text_file: report.text_file(),
            basis: basis(report),
            apart: apart(report),
            missing: &self.missing_words,
            good: &report.good,
            kept: report.kept().into_iter().filter_map(kept).collect(),
            lead: lead(report),
            focuses: report.focuses.iter().enumerate().map(|(i, f)| section(i, f, report)).collect(),
            read_again: report.read_again.as_ref().and_then(read_again),
            rates: rates(report),
            weeks: weeks(report),
            arc: sentiment(report),
            responses: report.responses.iter().map(response).collect(),
            mix: report.mix.iter().map(mix).collect(),
        }
    }

    /// The list of pages, by name.
    ///
    /// # Errors
    /// When the template cannot be filled, which does not happen.
    pub fn index(&self) -> Result<String, askama::Error> {
        let listed = |a: &'_ AgentReport| -> (String, String, String) {
            let above = a.focuses.iter().filter(|f| f.standing == Standing::Above).map(|f| titled(f.rule));
            let above: Vec<String> = above.collect();
            let focuses = match above.as_slice() {
                _ if a.too_few() => "quotes only: too few conversations".to_owned(),
                [] if !a.compared() => "quotes only: too little to compare with".to_owned(),
                [] => "nothing stands out".to_owned(),
                list => list.join(", "),
            };
            let period = a.period.as_ref().map_or_else(String::new, |(from, to)| format!("{from} to {to}"));
            (shown_id(&a.agent), period, focuses)
        };
        let rows = self.agents.iter().map(|a| {
            let (agent, period, focuses) = listed(a);
            Listed { agent, file: &a.file, conversations: grouped(a.conversations), period, focuses }
        });
        Index { report: self, conversations: grouped(self.conversations), rows: rows.collect() }
            .render()
            .map(|page| visible_text(&page))
    }
}

/// An id as it can be shown: not without end.
fn shown_id(id: &str) -> String {
    if id.chars().count() > 60 { id.chars().take(59).chain(['…']).collect() } else { id.to_owned() }
}

fn basis(a: &AgentReport) -> String {
    let period = a.period.as_ref().map_or_else(String::new, |(from, to)| {
        if from == to { format!(", week from {from}") } else { format!(", weeks from {from} to {to}") }
    });
    format!("{}{period}.", counted(a.conversations, "conversation", "conversations"))
}

fn apart(a: &AgentReport) -> Vec<String> {
    let mut out = Vec::new();
    if a.abusive > 0 {
        out.push(format!(
            "{} in which a customer's words were taken for abuse {} set apart, and nothing in them counts here. The program is often wrong about abuse: read them before you rely on that.",
            counted(a.abusive, "conversation", "conversations"),
            if a.abusive == 1 { "is" } else { "are" }
        ));
    }
    if a.shared > 0 {
        out.push(format!(
            "{} shared with colleagues {} left out, because it cannot be told who should have done what.",
            counted(a.shared, "conversation", "conversations"),
            if a.shared == 1 { "is" } else { "are" }
        ));
    }
    if a.too_few() {
        out.push(format!(
            "With fewer than {ENOUGH} conversations a rate would say more about chance than about anything else, so this page has quotes and no rates."
        ));
    }
    out
}

fn lead(a: &AgentReport) -> String {
    let of = |standing| a.focuses.iter().filter(|f| f.standing == standing).count();
    let more = "more frequent here than in colleagues' conversations about the same issues in the same channels, beyond what chance explains";
    let hints = match of(Standing::Hint) {
        0 => "",
        1 => " One more is a hint only: the program is often wrong about it.",
        _ => " Others are hints only: the program is often wrong about them.",
    };
    match of(Standing::Above) {
        _ if a.focuses.is_empty() => "No finding to talk about in these conversations.".to_owned(),
        0 if a.too_few() => "Moments to look at together. They are examples, not a measure.".to_owned(),
        0 if !hints.is_empty() => "Nothing that can be counted on stands out. There are hints of something, in moments to look at together.".to_owned(),
        0 if !a.compared() => format!("No finding here could be held against colleagues' rates: that takes {MIN_UNITS} people with {ENOUGH} conversations or more each, and {ENOUGH_OF_A_RULE} to which a rule applies. Below are moments to look at together: examples, not a ranking."),
        0 => "Nothing stands out: no finding is more frequent here than in colleagues' conversations of the same kind, beyond chance. Below are moments to look at together: examples, not a ranking.".to_owned(),
        1 => format!("One thing is {more}.{hints}"),
        n => format!("{} things are {more}. The one with the largest effect on customers comes first.{hints}", ["Two", "Three"][usize::from(n > 2)]),
    }
}

/// How often a rule is right, in words.
pub(super) fn trust(rule: &str) -> String {
    let doc = RULES.iter().find(|r| r.id == rule).map(|r| Doc::of(r));
    match doc.as_ref().and_then(Doc::measured) {
        Some((right, seen)) => {
            let share =
                |(s, (low, high)): Share| format!("{:.0} % ({:.0} to {:.0} %)", s * 100.0, low * 100.0, high * 100.0);
            format!(
                "Against careful readers, {} of this rule's findings were right, and it found {} of what the readers found (95 % intervals).",
                share(right),
                share(seen)
            )
        }
        None => doc.map_or_else(String::new, |d| d.line("Measured")),
    }
}

fn kept(r: &Rate) -> Option<String> {
    let ((expected, s), (rate, _)) = r.expected.zip(r.shrunken).zip(r.rate)?;
    Some(format!(
        "{}: found in {} of {} conversations ({}), and colleagues' conversations of the same kind have {}. Allowing for small numbers: {} (95 % interval {} to {}).",
        titled(r.rule),
        r.found,
        r.cases,
        percent(rate),
        percent(expected),
        percent(s.rate),
        percent(s.ci.0),
        percent(s.ci.1)
    ))
}

fn section<'a>(place: usize, f: &'a Focus, a: &AgentReport) -> Section<'a> {
    let doc = RULES.iter().find(|r| r.id == f.rule).map(|r| Doc::of(r));
    let part = |heading: &str| doc.as_ref().map_or_else(String::new, |d| d.line(heading));
    let rate = a.rate_of(f.rule);
    Section {
        title: titled(f.rule),
        finds: part("What it finds"),
        why: part("Why it hurts the customer"),
        measured: trust(f.rule),
        stands: rate.map_or_else(String::new, |r| stands(f, r)),
        funnel: rate.filter(|_| f.standing != Standing::Hint).and_then(|r| plot_funnel(place, f, r)),
        moments: f.moments.iter().map(shown).collect(),
    }
}

fn stands(f: &Focus, r: &Rate) -> String {
    let found = format!(
        "Found in {} of {}",
        r.found,
        counted(r.cases, "conversation to which it applies", "conversations to which it applies")
    );
    let (taken, without) = match r.reversed {
        0 => (String::new(), ""),
        1 => (" A reviewer read one of these and saw it otherwise.".to_owned(), "Without it, and "),
        n => (format!(" Reviewers read {n} of these and saw them otherwise."), "Without them, and "),
    };
    let allowing =
        |small: &str| if without.is_empty() { small.to_owned() } else { format!("{without}{}", small.to_lowercase()) };
    match (f.standing, r.expected.zip(r.judged()).zip(r.rate)) {
        (Standing::TooFew, _) | (_, None) => {
            format!(
                "{found}. With so few conversations, or so few people to compare with, this page does not say whether that is much or little. Look at the moments, not at the number.{taken}"
            )
        }
        (Standing::Hint, _) => format!(
            "{found}, which is more than in colleagues' conversations of the same kind. But the program is often wrong about this, so take it as a hint to read such conversations, and not as a count.{taken}"
        ),
        (Standing::Above, Some(((expected, s), (rate, _)))) => format!(
            "{found} ({}), where colleagues' conversations about the same issues in the same channels give {}.{taken} {}: {} (95 % interval {} to {}).",
            percent(rate),
            percent(expected),
            allowing("Allowing for small numbers"),
            percent(s.rate),
            percent(s.ci.0),
            percent(s.ci.1)
        ),
        (Standing::AsExpected, Some(((expected, s), (rate, _)))) => format!(
            "{found} ({}), and colleagues' conversations of the same kind have {}.{taken} {}: {} (95 % interval {} to {}), so it does not stand out.",
            percent(rate),
            percent(expected),
            allowing("Allowing for small numbers"),
            percent(s.rate),
            percent(s.ci.0),
            percent(s.ci.1)
        ),
    }
}

/// What people said of the findings, and the first of those that they saw otherwise; none where nobody read any.
fn read_again(r: &ReadAgain) -> Option<(String, Vec<(String, &TakenBack)>)> {
    let all = r.upheld + r.divided + r.reversed;
    if all == 0 {
        return None;
    }
    let mut said = vec![format!("they saw {} the same way", grouped(r.upheld))];
    if r.divided > 0 {
        said.push(format!("differed among themselves on {}", grouped(r.divided)));
    }
    said.push(format!("saw {} otherwise", if r.reversed == 0 { "none".to_owned() } else { grouped(r.reversed) }));
    let last = said.pop().unwrap_or_default();
    let sentence = format!(
        "Reviewers read {} in these conversations: {} and {last}.",
        counted(all, "finding", "findings"),
        said.join(", ")
    );
    Some((sentence, r.shown.iter().map(|t| (titled(t.rule), t)).collect()))
}

fn plot_funnel(place: usize, f: &Focus, r: &Rate) -> Option<Plot> {
    let own = (r.cases, r.for_like_cases?);
    let description = format!(
        "The diamond is this page's rate for like conversations, {} over {} conversations. Dots are {} colleagues. The dashed line is the rate of all, {}; inside the solid curves lie 95 % of rates that differ by chance alone, inside the dotted ones 99.8 %.",
        percent(own.1),
        own.0,
        f.others.len(),
        percent(f.level)
    );
    let plot = Funnel { level: f.level, own, others: &f.others };
    Some(funnel(&format!("funnel{place}"), &format!("{} among colleagues", titled(f.rule)), &description, &plot))
}

fn shown(m: &Moment) -> Shown<'_> {
    Shown {
        moment: m,
        sure: format!("{:.0} %", m.confidence * 100.0),
        reviewed: match m.reviewed {
            Some(Reviewed::Upheld) => "A reviewer read this and saw it the same way.",
            Some(Reviewed::Divided) => "Reviewers read this and saw it differently from one another.",
            // Such a finding is no example.
            Some(Reviewed::Reversed) | None => "",
        },
        wording: m.rewrite.as_deref().map(wording).unwrap_or_default(),
    }
}

/// Pieces with what each is, whether a space stands before it, and its text.
fn wording(pieces: &[Piece]) -> Vec<(&'static str, bool, String)> {
    let one = |(i, piece): (usize, &Piece)| {
        let (kind, text) = match piece {
            Piece::Phrase(t) => ("phrase", t.clone()),
            Piece::Case(t) => ("case", t.clone()),
            Piece::Gap(t) => ("gap", format!("[{t}]")),
        };
        (kind, i > 0 && !text.starts_with(['.', ',', '?', '!', ':']), text)
    };
    pieces.iter().enumerate().map(one).collect()
}

fn rates(a: &AgentReport) -> Option<Plot> {
    let bars: Vec<Bar> = a
        .rates
        .iter()
        .filter(|r| r.cases >= ENOUGH_OF_A_RULE && r.shrunken.is_some() && counts(r.rule))
        .map(|r| Bar {
            name: titled(r.rule),
            value: r.shrunken.map(|s| (s.rate, s.ci)),
            expected: r.expected,
            cases: r.cases,
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    let taken = if a.rates.iter().any(|r| r.reversed > 0) {
        " Findings that reviewers saw otherwise are still in these rates: not all of the colleagues' were read, so leaving them out on one side would not compare like with like."
    } else {
        ""
    };
    let description = "For each rule the share of conversations with a finding, drawn towards what is expected, with its 95 % interval (dot and line), and what colleagues have on the same issues and channels (upright tick). Where the line crosses the tick, the two cannot be told apart. Rules whose findings are wrong as often as not are left out.";
    let description = format!("{description}{taken}");
    Some(rows("rates", "Every rule with enough conversations", &description, &bars, Scale::Share, "expected"))
}

fn weeks(a: &AgentReport) -> Option<Plot> {
    if a.too_few() || a.weeks.len() < 2 {
        return None;
    }
    let each = if a.weeks_together == 1 { "week by week" } else { "four weeks at a time" };
    let description = format!(
        "The share of conversations with at least one finding, {each}, with its 95 % interval (dots and lines), and that of colleagues with their own mix of cases (dashed line). Where the lines overlap, a rise or fall may be chance."
    );
    Some(trend("weeks", "Conversations with a finding, over time", &description, &a.weeks, "colleagues"))
}

fn sentiment(a: &AgentReport) -> Option<Plot> {
    let own = a.arc.as_ref()?;
    let description = format!(
        "The mean sentiment of the customer's turns over {} conversations, from −1 (all negative) to 1 (all positive), with 95 % intervals; the dashed line is colleagues', with their own mix of cases.",
        own.cases
    );
    Some(arc(
        "arc",
        "Customers' sentiment from first to last turn",
        &description,
        &own.own,
        own.others.as_ref(),
        "colleagues",
    ))
}

/// Seconds as people say them.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{} h", (s / 360.0).round() / 10.0),
        s => format!("{} days", (s / 8640.0).round() / 10.0),
    }
}

fn response(r: &Response) -> [String; 6] {
    let share = |within: u64, n: u64| {
        if n == 0 {
            return "–".to_owned();
        }
        let (low, high) = crate::stats::wilson(within, n);
        format!("{} ({} to {})", percent(within as f64 / n as f64), percent(low), percent(high))
    };
    [
        r.channel.clone(),
        grouped(r.cases),
        format!("{} ({} to {})", duration(r.quartiles[1]), duration(r.quartiles[0]), duration(r.quartiles[2])),
        if r.others.0 == 0 { "–".to_owned() } else { duration(r.others.1) },
        duration(r.limit),
        format!("{}; colleagues {}", share(r.within, r.cases), share(r.others.2, r.others.0)),
    ]
}

fn mix(m: &Mix) -> [String; 4] {
    let share = |(k, n): (u64, u64)| if n == 0 { "–".to_owned() } else { percent(k as f64 / n as f64) };
    [m.of.to_owned(), m.name.clone(), format!("{} ({})", share(m.own), m.own.0), share(m.others)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_reads_as_one_text() {
        let pieces = [
            Piece::Phrase("You told us".into()),
            Piece::Case("“it broke”".into()),
            Piece::Phrase(".".into()),
            Piece::Gap("when".into()),
        ];
        let spaced = |(_, space, text): (&str, bool, String)| format!("{}{text}", if space { " " } else { "" });
        let text: String = wording(&pieces).into_iter().map(spaced).collect();
        assert_eq!(text, "You told us “it broke”. [when]");
    }

    #[test]
    fn ids_and_times_are_short() {
        assert_eq!(shown_id(&"x".repeat(300)).chars().count(), 60);
        assert_eq!([30.0, 600.0, 10_000.0, 400_000.0].map(duration), ["30 s", "10 min", "2.8 h", "4.6 days"]);
    }
}
