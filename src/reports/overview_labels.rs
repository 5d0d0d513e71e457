//! The part of the overview that reviewers' labels stand behind. In: estimates. Out: sentences, a table and a chart.

use super::agreement::Figure;
use super::coach::titled;
use super::estimates::{Estimates, FEW, FEW_FOUND, OfScope};
use super::numbers::grouped;
use super::plots::{Bar, Plot, Scale, percent, rows};

/// What the page shows of the labels.
pub(super) struct Labelled {
    pub(super) sentence: String,
    pub(super) plot: Option<Plot>,
    pub(super) rows: Vec<[String; 6]>,
    pub(super) notes: Vec<String>,
}

/// The names of the columns of [`Labelled::rows`].
pub(super) const HEAD: [&str; 6] = [
    "Rule",
    "Labelled (found)",
    "The program's rate",
    "Corrected rate (95 % interval)",
    "Right: of what it finds (95 % interval)",
    "Finds: of what is there (95 % interval)",
];

impl Labelled {
    pub(super) fn new(e: &Estimates) -> Self {
        let mut notes = e.notes.clone();
        let few = e.whole().any(OfScope::few);
        if few {
            notes.push(format!(
                "Too few: fewer than {FEW} labelled conversations, or fewer than {FEW_FOUND} in which the rule was found not kept. Such a row says little yet."
            ));
        }
        for r in e.whole().filter(|r| outside(&r.ppi)) {
            notes.push(format!(
                "The corrected rate of “{}” lies outside 0 to 100 %: the program's mistakes in the sample do not fit its rate over everything, or the labels are too few.",
                titled(&r.rule)
            ));
        }
        let design = if e.design.is_empty() {
            "of a design that is not named".to_owned()
        } else {
            format!("{} design", e.design)
        };
        Self {
            sentence: format!(
                "People read {} of {} conversations that were drawn for it ({design}). Together with what the program says of all {}, their labels give a corrected rate, and they show how often the program is right here.",
                grouped(e.labelled),
                grouped(e.drawn),
                grouped(e.population)
            ),
            plot: plot(e),
            rows: e.whole().map(row).collect(),
            notes,
        }
    }
}

fn outside(f: &Figure) -> bool {
    f.value.is_some_and(|v| !(0.0..=1.0).contains(&v))
}

fn row(r: &OfScope) -> [String; 6] {
    let interval = |f: &Figure| match (f.value, f.ci) {
        (Some(v), Some((low, high))) => format!("{} ({} to {})", percent(v), percent(low), percent(high)),
        (Some(v), None) => percent(v),
        (None, _) => "–".to_owned(),
    };
    [
        titled(&r.rule),
        format!("{} ({}){}", grouped(r.labelled), r.found, if r.few() { ": too few" } else { "" }),
        r.machine.map_or_else(|| "–".to_owned(), percent),
        interval(&r.ppi),
        interval(&r.precision),
        interval(&r.sensitivity),
    ]
}

fn plot(e: &Estimates) -> Option<Plot> {
    let lean_on = e.whole().filter(|r| !r.few() && !outside(&r.ppi));
    let bars: Vec<Bar> = lean_on
        .map(|r| Bar {
            name: titled(&r.rule),
            value: r.ppi.value.zip(r.ppi.ci),
            expected: r.machine,
            cases: r.labelled,
        })
        .filter(|b| b.value.is_some())
        .collect();
    let description = "The rate of each rule corrected by people's labels, with its 95 % interval (dot and line), and the program's own rate (upright tick). Where the tick lies outside the line, the program finds too much or too little here.";
    (!bars.is_empty()).then(|| {
        rows("corrected", "Rates that people's labels stand behind", description, &bars, Scale::Share, "the program's")
    })
}
