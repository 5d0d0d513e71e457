//! A funnel plot: a rate against the number of cases, between the limits inside which chance alone keeps it.

use super::{Canvas, FRAME, MARK, OTHERS, OWN, Plot, WIDTH, percent, top};
use crate::stats::funnel::limit;

/// What a funnel shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel<'a> {
    /// The rate of all.
    pub level: f64,
    /// (cases, rate) of the one that the page is about.
    pub own: (u64, f64),
    /// The same of the others, who are not named.
    pub others: &'a [(u64, f64)],
}

const LEFT: f64 = 46.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 12.0;
const HEIGHT: f64 = 250.0;
const FLOOR: f64 = HEIGHT - 44.0;
/// Points of a limit's line.
const POINTS: u64 = 48;

/// Draws the funnel.
pub fn funnel(id: &str, title: &str, description: &str, f: &Funnel<'_>) -> Plot {
    let most = f.others.iter().map(|p| p.0).chain([f.own.0]).max().unwrap_or(1).max(10);
    let end = (most as f64 * 1.06).ceil();
    let highest = f.others.iter().map(|p| p.1).chain([f.own.1, limit(10, f.level, 0.975)]).fold(0.0, f64::max);
    let top_rate = top(highest * 1.05);
    let x = |n: f64| LEFT + n / end * (WIDTH - LEFT - RIGHT);
    let y = |rate: f64| FLOOR - (rate / top_rate).clamp(0.0, 1.0) * (FLOOR - TOP);
    let mut canvas = Canvas::new(id, HEIGHT);
    for share in [0.0, 0.5, 1.0] {
        let at = y(share * top_rate);
        canvas.line((LEFT, at), (WIDTH - RIGHT, at), &format!("stroke=\"{FRAME}\""));
        canvas.text((LEFT - 6.0, at + 4.5), "end", &percent(share * top_rate));
    }
    for n in [0, most / 2, most] {
        canvas.text((x(n as f64), FLOOR + 18.0), "middle", &n.to_string());
    }
    canvas.text((f64::midpoint(LEFT, WIDTH), HEIGHT - 6.0), "middle", "conversations in which the rule applies");
    for (tail, dash) in [(0.025, ""), (0.975, ""), (0.001, "2 4"), (0.999, "2 4")] {
        let points: Vec<(f64, f64)> =
            (0..=POINTS).map(|i| 3.max(i * most / POINTS)).map(|n| (x(n as f64), y(limit(n, f.level, tail)))).collect();
        canvas.path(
            &points,
            &format!("fill=\"none\" stroke=\"{MARK}\" stroke-width=\"1.4\" stroke-dasharray=\"{dash}\""),
        );
    }
    canvas.line(
        (LEFT, y(f.level)),
        (WIDTH - RIGHT, y(f.level)),
        &format!("stroke=\"{OTHERS}\" stroke-dasharray=\"6 4\""),
    );
    for &(n, rate) in f.others {
        canvas.dot((x(n as f64), y(rate)), 3.5, &format!("fill=\"{OTHERS}\" fill-opacity=\"0.55\""));
    }
    canvas.diamond(
        (x(f.own.0 as f64), y(f.own.1)),
        7.0,
        &format!("fill=\"{OWN}\" stroke=\"#fff\" stroke-width=\"1.2\""),
    );
    canvas.finish(title, description, &["", "cases", "rate for like cases"], table(f))
}

/// The figures: the own rate, that of all, the limits, and where the others lie.
fn table(f: &Funnel<'_>) -> Vec<Vec<String>> {
    let (low, high) = (limit(f.own.0, f.level, 0.025), limit(f.own.0, f.level, 0.975));
    let mut peers: Vec<f64> = f.others.iter().map(|p| p.1).collect();
    peers.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        peers
            .get(((peers.len().max(1) - 1) as f64 * q).round() as usize)
            .map_or_else(|| "–".to_owned(), |p| percent(*p))
    };
    vec![
        vec!["This page".to_owned(), f.own.0.to_string(), percent(f.own.1)],
        vec!["All".to_owned(), String::new(), percent(f.level)],
        vec![
            "Limits for so many cases (95 %)".to_owned(),
            f.own.0.to_string(),
            format!("{} to {}", percent(low), percent(high)),
        ],
        vec![
            format!("Middle half of {} others", peers.len()),
            String::new(),
            format!("{} to {}", quantile(0.25), quantile(0.75)),
        ],
    ]
}
