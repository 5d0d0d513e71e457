//! How times are spread: from the fastest tenth to the slowest, on a logarithmic axis, against a limit.

use super::{Canvas, FRAME, MARK, OWN, Plot, WIDTH, percent, short};

/// One row of times.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Its name.
    pub name: String,
    /// The seconds at 10, 25, 50, 75 and 90 %.
    pub quantiles: [f64; 5],
    /// What is allowed, in seconds.
    pub limit: f64,
    /// How many, and how many within the limit.
    pub cases: (u64, u64),
}

const LEFT: f64 = 92.0;
const RIGHT: f64 = 24.0;
const STEP: f64 = 34.0;
const HEAD: f64 = 10.0;

/// Draws the rows in the order given; `said` puts seconds into words.
pub fn spread(id: &str, title: &str, description: &str, rows: &[Times], said: fn(f64) -> String) -> Plot {
    let height = HEAD + rows.len() as f64 * STEP + 26.0;
    let mut canvas = Canvas::new(id, height);
    let values = || rows.iter().flat_map(|r| r.quantiles.into_iter().chain([r.limit])).map(|v| v.max(1.0));
    let (low, high) = (values().fold(f64::MAX, f64::min) / 1.3, values().fold(1.0, f64::max) * 1.3);
    let x = |seconds: f64| {
        let share = (seconds.max(1.0) / low).ln() / (high / low).ln();
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    };
    for tick in
        [1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0].into_iter().filter(|t| low <= *t && *t <= high)
    {
        canvas.line((x(tick), HEAD - 4.0), (x(tick), height - 24.0), &format!("stroke=\"{FRAME}\""));
        canvas.text((x(tick), height - 8.0), "middle", &said(tick));
    }
    for (i, row) in rows.iter().enumerate() {
        let y = HEAD + (i as f64 + 0.5) * STEP;
        let q = row.quantiles.map(x);
        canvas.text((0.0, y + 4.5), "start", &short(&row.name, 13));
        canvas.line((q[0], y), (q[4], y), &format!("stroke=\"{OWN}\" stroke-width=\"2\""));
        canvas.area((q[1], y - 7.0), ((q[3] - q[1]).max(1.0), 14.0), &format!("fill=\"#cfe5f3\" stroke=\"{OWN}\""));
        canvas.line((q[2], y - 7.0), (q[2], y + 7.0), &format!("stroke=\"{OWN}\" stroke-width=\"3\""));
        let limit = x(row.limit);
        canvas.line(
            (limit, y - 13.0),
            (limit, y + 13.0),
            &format!("stroke=\"{MARK}\" stroke-width=\"3\" stroke-dasharray=\"4 2\""),
        );
    }
    let cells = |r: &Times| {
        let (n, within) = r.cases;
        let (low, high) = crate::stats::wilson(within, n);
        let mut out = vec![r.name.clone(), n.to_string()];
        out.extend(r.quantiles.map(said));
        out.push(said(r.limit));
        out.push(format!("{} ({} to {})", percent(within as f64 / n.max(1) as f64), percent(low), percent(high)));
        out
    };
    let head = ["", "replies", "10 %", "25 %", "median", "75 %", "90 %", "due within", "in time (95 % interval)"];
    canvas.finish(title, description, &head, rows.iter().map(cells).collect())
}
