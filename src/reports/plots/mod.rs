//! Plots as inline SVG, made here: no script, no font, nothing loaded. In: figures. Out: a [`Plot`] with its title, its description and
//! the table of its figures. Colours are Okabe and Ito's (2008), and nothing is told by colour alone.

mod arc;
mod funnel;
mod rows;
mod spread;
mod strip;
mod trend;

pub use arc::arc;
pub(in crate::reports) use arc::signed;
pub use funnel::{Funnel, funnel};
pub use rows::{Bar, Scale, rows};
pub use spread::{Times, spread};
pub use strip::strip;
pub use trend::{Point, trend};

use std::fmt::Write;

/// A plot, ready to be put into a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plot {
    /// The picture.
    pub svg: String,
    /// What it shows, in a few words.
    pub title: String,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// The names of the table's columns.
    pub head: Vec<String>,
    /// The figures, as they are read.
    pub rows: Vec<Vec<String>>,
}

/// Width of a plot, in its own units: narrow enough that 13-unit letters can be read on a phone.
pub(super) const WIDTH: f64 = 420.0;
/// The unit or person that the page is about.
pub(super) const OWN: &str = "#0072b2";
/// What is expected, or a limit.
pub(super) const MARK: &str = "#b34a00";
/// Everyone else.
pub(super) const OTHERS: &str = "#6b7480";
/// Lines of the frame.
pub(super) const FRAME: &str = "#c9d0d7";

/// A picture that is being drawn.
pub(super) struct Canvas {
    id: String,
    height: f64,
    body: String,
}

impl Canvas {
    /// `id` is unique on the page.
    pub(super) fn new(id: &str, height: f64) -> Self {
        Self { id: id.to_owned(), height, body: String::new() }
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), style: &str) {
        let (x1, y1, x2, y2) = (from.0, from.1, to.0, to.1);
        let _ = write!(self.body, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>");
    }

    pub(super) fn path(&mut self, points: &[(f64, f64)], style: &str) {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        let _ = write!(self.body, "<path d=\"{d}\" {style}/>");
    }

    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, style: &str) {
        let _ = write!(self.body, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" {style}/>");
    }

    /// A square on its corner.
    pub(super) fn diamond(&mut self, (x, y): (f64, f64), r: f64, style: &str) {
        self.path(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y), (x, y - r)], style);
    }

    pub(super) fn area(&mut self, corner: (f64, f64), size: (f64, f64), style: &str) {
        let _ = write!(
            self.body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" {style}/>",
            corner.0, corner.1, size.0, size.1
        );
    }

    /// `anchor` is `start`, `middle` or `end`.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: &str, text: &str) {
        let _ = write!(self.body, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text));
    }

    pub(super) fn finish(self, title: &str, description: &str, head: &[&str], rows: Vec<Vec<String>>) -> Plot {
        let Self { id, height, body } = self;
        let svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{body}</svg>",
            escaped(title),
            escaped(description)
        );
        Plot {
            svg,
            title: title.to_owned(),
            description: description.to_owned(),
            head: head.iter().map(|h| (*h).to_owned()).collect(),
            rows,
        }
    }
}

/// Text that may stand in a picture.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The first letters of a name that must fit in so many.
pub(super) fn short(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        text.to_owned()
    } else {
        text.chars().take(length - 1).chain(['…']).collect()
    }
}

/// A share in per cent, one decimal below 10.
pub(super) fn percent(share: f64) -> String {
    let p = share * 100.0;
    if p.abs() < 9.95 && p.abs() >= 0.05 { format!("{p:.1} %") } else { format!("{p:.0} %").replace("-0", "0") }
}

/// The end of an axis for shares: a round number at or above the largest, at most 1.
pub(super) fn top(largest: f64) -> f64 {
    [0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8].into_iter().find(|t| *t >= largest).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_picture() {
        let mut canvas = Canvas::new("p", 10.0);
        canvas.text((0.0, 0.0), "start", "</text><script>alert('x')</script>\u{0}");
        let plot = canvas.finish("a < b", "\"quoted\" & more", &["x"], Vec::new());
        assert!(!plot.svg.contains("<script") && plot.svg.contains("&lt;script&gt;"), "{}", plot.svg);
        assert!(plot.svg.contains("<title id=\"p-t\">a &lt; b</title>") && !plot.svg.contains('\u{0}'));
    }

    #[test]
    fn shares_read_well() {
        let shown = [0.0, 0.004, 0.052, 0.0996, 0.5, 1.0].map(percent);
        assert_eq!(shown, ["0 %", "0.4 %", "5.2 %", "10 %", "50 %", "100 %"]);
        assert_eq!((top(0.0), top(0.11), top(0.9)), (0.05, 0.2, 1.0));
    }
}
