//! A share over time with its intervals, beside that of everyone else.

use super::{Canvas, FRAME, OTHERS, OWN, Plot, WIDTH, percent, top};
use crate::stats::wilson;

/// One stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// (events, cases).
    pub own: (u64, u64),
    /// The same of everyone else.
    pub others: (u64, u64),
}

const LEFT: f64 = 46.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 12.0;
const HEIGHT: f64 = 200.0;
const FLOOR: f64 = HEIGHT - 30.0;

/// Draws the points in the order given. `whose` names the others; no line is drawn where it is empty.
pub fn trend(id: &str, title: &str, description: &str, points: &[Point], whose: &str) -> Plot {
    let rate = |(events, n): (u64, u64)| (n > 0).then(|| events as f64 / n as f64);
    let highest = points.iter().filter(|p| p.own.1 > 0).map(|p| wilson(p.own.0, p.own.1).1).fold(0.0, f64::max);
    let highest = points.iter().filter_map(|p| rate(p.others)).fold(highest, f64::max);
    let end = top(highest);
    let step = (WIDTH - LEFT - RIGHT) / points.len().max(1) as f64;
    let x = |i: usize| LEFT + (i as f64 + 0.5) * step;
    let y = |rate: f64| FLOOR - (rate / end).clamp(0.0, 1.0) * (FLOOR - TOP);
    let mut canvas = Canvas::new(id, HEIGHT);
    for share in [0.0, 0.5, 1.0] {
        canvas.line((LEFT, y(share * end)), (WIDTH - RIGHT, y(share * end)), &format!("stroke=\"{FRAME}\""));
        canvas.text((LEFT - 6.0, y(share * end) + 4.5), "end", &percent(share * end));
    }
    if !whose.is_empty() {
        let line: Vec<(f64, f64)> =
            points.iter().enumerate().filter_map(|(i, p)| Some((x(i), y(rate(p.others)?)))).collect();
        canvas.path(&line, &format!("fill=\"none\" stroke=\"{OTHERS}\" stroke-width=\"2\" stroke-dasharray=\"6 4\""));
    }
    for (i, point) in points.iter().enumerate() {
        let Some(at) = rate(point.own) else { continue };
        let (low, high) = wilson(point.own.0, point.own.1);
        canvas.line((x(i), y(low)), (x(i), y(high)), &format!("stroke=\"{OWN}\" stroke-width=\"2\""));
        canvas.dot((x(i), y(at)), 4.5, &format!("fill=\"{OWN}\" stroke=\"#fff\""));
    }
    // As many names as there is room for.
    let every = points.len().div_ceil(5).max(1);
    for (i, point) in points.iter().enumerate().step_by(every) {
        let name = point.name.rsplit_once(' ').map_or(point.name.as_str(), |(day, _)| day);
        canvas.text((x(i), FLOOR + 20.0), "middle", name);
    }
    let cells = |p: &Point| {
        let mut row = vec![p.name.clone(), format!("{} of {}", p.own.0, p.own.1)];
        row.push(rate(p.own).map_or_else(
            || "–".to_owned(),
            |r| {
                let (low, high) = wilson(p.own.0, p.own.1);
                format!("{} ({} to {})", percent(r), percent(low), percent(high))
            },
        ));
        if !whose.is_empty() {
            row.push(rate(p.others).map_or_else(|| "–".to_owned(), percent));
        }
        row
    };
    let mut head = vec!["weeks from", "conversations", "share (95 % interval)"];
    if !whose.is_empty() {
        head.push(whose);
    }
    canvas.finish(title, description, &head, points.iter().map(cells).collect())
}
