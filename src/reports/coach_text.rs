//! Coaching reports as Markdown: what stands on a page, for a wiki or a note. In: the report. Out: text.

use std::fmt::Write;

use super::coach::{AgentReport, Coaching, Line};
use super::coach_page::{Page, Section};
use super::markdown::{plain, table};
use super::plots::Plot;

impl Coaching {
    /// One person's page as text; the charts are their tables.
    pub fn markdown(&self, report: &AgentReport) -> String {
        let page = self.parts(report);
        let mut out = format!("# Coaching page: {}\n\n{}\n", plain(&page.agent), plain(&page.basis));
        page.apart.iter().for_each(|sentence| paragraph(&mut out, sentence));
        paragraph(
            &mut out,
            "A finding is a place to look, not a verdict on a person. What a program reads can be wrong: read the words before anything else.",
        );
        if !page.missing.is_empty() {
            let why = page.missing.join("; ");
            paragraph(
                &mut out,
                &format!(
                    "Some words are missing here, because {why}. Name the files that were audited with --transcripts to have them."
                ),
            );
        }
        went_well(&mut out, &page);
        out.push_str("\n## Where to look\n");
        paragraph(&mut out, &page.lead);
        page.focuses.iter().enumerate().for_each(|(i, f)| focus(&mut out, i, f));
        if let Some((sentence, taken)) = &page.read_again {
            out.push_str("\n## Read again by a person\n");
            paragraph(&mut out, sentence);
            for (title, t) in taken {
                let _ = writeln!(out, "\n**{}**", plain(title));
                said(&mut out, t.speaker, &t.quote, true);
                place(&mut out, &t.transcript, t.turn);
                paragraph(
                    &mut out,
                    "A reviewer read this and saw it otherwise. It is no example above, and does not count towards a focus.",
                );
            }
        }
        [&page.rates, &page.weeks, &page.arc].into_iter().flatten().for_each(|plot| figures(&mut out, "##", plot));
        tables(&mut out, &page);
        out.push_str("\n## If something here is wrong\n");
        paragraph(
            &mut out,
            "Say so. Under each quote stand the conversation and the turn; give them to your lead together with the name of the finding, and ask for it to be read again by a person. A finding that a reader takes back should not be used, here or anywhere.",
        );
        paragraph(
            &mut out,
            "Nobody is ranked. Colleagues have no names here, and a rate is called high only where neither chance nor the kind of cases explains it. How the figures are made stands at the end of the page of the same name, and in coach.json.",
        );
        out
    }
}

fn went_well(out: &mut String, page: &Page<'_>) {
    out.push_str("\n## What went well\n");
    if page.good.is_empty() {
        paragraph(
            out,
            "No turn was found in which the customer's trouble was taken on, their feeling acknowledged or a time promised. That says little: the program only knows a few signs of a good moment.",
        );
    }
    for g in page.good {
        let _ = writeln!(out, "\n**{}**", plain(g.what));
        beside(out, g.before.as_ref());
        match &g.quote {
            Some(quote) => said(out, "agent", quote, true),
            None => paragraph(out, "The words are not available."),
        }
        beside(out, g.after.as_ref());
        place(out, &g.transcript, g.turn);
    }
    if !page.kept.is_empty() {
        out.push_str("\n### Kept better than like conversations would lead one to expect\n\n");
        for k in &page.kept {
            let _ = writeln!(out, "- {}", plain(k));
        }
    }
}

fn focus(out: &mut String, rank: usize, f: &Section<'_>) {
    let _ = writeln!(out, "\n### {}. {}", rank + 1, plain(&f.title));
    paragraph(out, &f.finds);
    paragraph(out, &format!("Why it matters. {}", f.why));
    paragraph(out, &f.stands);
    for s in &f.moments {
        let m = s.moment;
        beside(out, m.before.as_ref());
        said(out, m.speaker, &m.quote, true);
        beside(out, m.after.as_ref());
        place(out, &m.transcript, m.turn);
        paragraph(out, &m.seen);
        let wording: String =
            s.wording.iter().map(|(_, space, text)| format!("{}{text}", if *space { " " } else { "" })).collect();
        let suggested = if wording.is_empty() { &m.suggestion } else { &wording };
        paragraph(out, &format!("A suggestion: {suggested}"));
        paragraph(out, &format!("The program's own confidence: {}. {}", s.sure, s.reviewed));
    }
    f.funnel.iter().for_each(|plot| figures(out, "####", plot));
    paragraph(out, &format!("How far to trust it. {}", f.measured));
}

/// A chart as the table of its figures.
fn figures(out: &mut String, level: &str, plot: &Plot) {
    let _ = writeln!(out, "\n{level} {}", plain(&plot.title));
    paragraph(out, &plot.description);
    out.push('\n');
    let head: Vec<&str> = plot.head.iter().map(String::as_str).collect();
    table(out, &head, plot.rows.iter().cloned());
}

fn tables(out: &mut String, page: &Page<'_>) {
    if !page.responses.is_empty() && !page.report.too_few() {
        out.push_str("\n## First replies\n");
        paragraph(
            out,
            "Waiting depends on staffing and queues as much as on anybody's work: it is shown here and is never a focus.",
        );
        out.push('\n');
        let head = [
            "channel",
            "replies",
            "median (middle half)",
            "colleagues' median",
            "due within",
            "in time (95 % interval)",
        ];
        table(out, &head, page.responses.iter().cloned().map(Vec::from));
    }
    if !page.mix.is_empty() {
        out.push_str("\n## Case mix\n");
        paragraph(
            out,
            "Some issues are harder than others; where an expected rate is shown, it takes that into account.",
        );
        out.push('\n');
        table(out, &["kind", "name", "here", "colleagues"], page.mix.iter().cloned().map(Vec::from));
    }
}

fn paragraph(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{}", plain(text));
}

fn beside(out: &mut String, line: Option<&Line>) {
    line.into_iter().for_each(|l| said(out, l.speaker, &l.text, false));
}

/// A turn; the one that is quoted stands out.
fn said(out: &mut String, speaker: &str, text: &str, quoted: bool) {
    let text = if quoted { format!("**“{}”**", plain(text)) } else { plain(text) };
    let _ = writeln!(out, "\n> {}: {text}", plain(speaker));
}

fn place(out: &mut String, transcript: &str, turn: usize) {
    let _ = writeln!(out, "\n({}, turn {turn})", plain(transcript));
}
