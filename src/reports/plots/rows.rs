//! Rows with an estimate and its interval each: rates, or a forest of odds ratios.

use super::{Canvas, FRAME, MARK, OTHERS, OWN, Plot, WIDTH, percent, short, top};

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// The estimate and its 95 % interval; none where there is none.
    pub value: Option<(f64, (f64, f64))>,
    /// What is expected.
    pub expected: Option<f64>,
    /// How many cases it rests on.
    pub cases: u64,
}

/// What the axis measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Shares from 0.
    Share,
    /// Odds ratios, on a logarithmic axis around 1.
    Odds,
}

const LEFT: f64 = 142.0;
const RIGHT: f64 = 24.0;
const STEP: f64 = 26.0;
const HEAD: f64 = 10.0;

/// Draws the rows in the order given. `marked` says what the tick of an expected value is.
pub fn rows(id: &str, title: &str, description: &str, bars: &[Bar], scale: Scale, marked: &str) -> Plot {
    let height = HEAD + bars.len() as f64 * STEP + 26.0;
    let mut canvas = Canvas::new(id, height);
    let axis = Axis::over(bars, scale);
    let floor = height - 24.0;
    for (value, label) in axis.ticks() {
        let x = axis.place(value);
        canvas.line((x, HEAD - 4.0), (x, floor), &format!("stroke=\"{FRAME}\""));
        canvas.text((x, height - 8.0), "middle", &label);
    }
    for (i, bar) in bars.iter().enumerate() {
        let y = HEAD + (i as f64 + 0.5) * STEP;
        canvas.text((0.0, y + 4.5), "start", &short(&bar.name, 21));
        let Some((at, (low, high))) = bar.value else {
            canvas.text((LEFT + 4.0, y + 4.5), "start", "too few cases");
            continue;
        };
        let (low, at, high) = (axis.place(low), axis.place(at), axis.place(high));
        canvas.line((low, y), (high, y), &format!("stroke=\"{OWN}\" stroke-width=\"2\""));
        for end in [low, high] {
            canvas.line((end, y - 4.0), (end, y + 4.0), &format!("stroke=\"{OWN}\" stroke-width=\"2\""));
        }
        if let Some(expected) = bar.expected {
            let x = axis.place(expected);
            canvas.line((x, y - 9.0), (x, y + 9.0), &format!("stroke=\"{MARK}\" stroke-width=\"3\""));
        }
        canvas.dot((at, y), 4.5, &format!("fill=\"{OWN}\" stroke=\"#fff\""));
    }
    if scale == Scale::Odds {
        let x = axis.place(1.0);
        canvas.line((x, HEAD - 4.0), (x, floor), &format!("stroke=\"{OTHERS}\" stroke-dasharray=\"4 3\""));
    }
    let number = |x: f64| if scale == Scale::Share { percent(x) } else { format!("{x:.2}") };
    let cells = |bar: &Bar| {
        let mut row = vec![bar.name.clone(), bar.cases.to_string()];
        row.push(bar.value.map_or_else(|| "–".to_owned(), |v| number(v.0)));
        row.push(bar.value.map_or_else(|| "–".to_owned(), |(_, (l, h))| format!("{} to {}", number(l), number(h))));
        if !marked.is_empty() {
            row.push(bar.expected.map_or_else(|| "–".to_owned(), number));
        }
        row
    };
    let table = bars.iter().map(cells).collect();
    let value = if scale == Scale::Share { "share" } else { "odds ratio" };
    let mut head = vec!["", "cases", value, "95 % interval"];
    if !marked.is_empty() {
        head.push(marked);
    }
    canvas.finish(title, description, &head, table)
}

struct Axis {
    scale: Scale,
    end: f64,
}

impl Axis {
    fn over(bars: &[Bar], scale: Scale) -> Self {
        let values =
            bars.iter().flat_map(|b| b.value.map(|v| v.1).into_iter().flat_map(|(l, h)| [l, h]).chain(b.expected));
        let end = match scale {
            Scale::Share => top(values.fold(0.0, f64::max)),
            Scale::Odds => values.map(|v| v.clamp(0.02, 50.0).ln().abs()).fold(2.2_f64.ln(), f64::max),
        };
        Self { scale, end }
    }

    fn place(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Share => value / self.end,
            Scale::Odds => f64::midpoint(value.max(1e-9).ln() / self.end, 1.0),
        };
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Share => [0.0, 0.5, 1.0].map(|t| (t * self.end, percent(t * self.end))).to_vec(),
            Scale::Odds => [0.05, 0.25, 0.5, 1.0, 2.0, 4.0, 20.0]
                .into_iter()
                .filter(|t: &f64| t.ln().abs() <= self.end)
                .map(|t| (t, t.to_string()))
                .collect(),
        }
    }
}
