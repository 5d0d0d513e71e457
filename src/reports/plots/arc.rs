//! The customers' sentiment from their first turn to their last.

use super::{Canvas, FRAME, MARK, OTHERS, OWN, Plot, WIDTH};
use crate::tally::ARC;

const LEFT: f64 = 70.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const HEIGHT: f64 = 200.0;
const FLOOR: f64 = HEIGHT - 30.0;
/// The points of an arc.
const NAMES: [&str; ARC] = ["first turn", "a quarter on", "half-way", "three quarters on", "last turn"];

/// Draws means with their 95 % intervals, −1 to 1, beside the others' means. `whose` names the others.
pub fn arc(
    id: &str,
    title: &str,
    description: &str,
    own: &[(f64, (f64, f64)); ARC],
    others: Option<&[f64; ARC]>,
    whose: &str,
) -> Plot {
    let mut canvas = Canvas::new(id, HEIGHT);
    let x = |i: usize| LEFT + i as f64 / (ARC - 1) as f64 * (WIDTH - LEFT - RIGHT);
    let y = |v: f64| FLOOR - f64::midpoint(v.clamp(-1.0, 1.0), 1.0) * (FLOOR - TOP);
    for (value, name) in [(-1.0, "negative"), (0.0, "neutral"), (1.0, "positive")] {
        canvas.line((LEFT - 8.0, y(value)), (WIDTH - RIGHT + 8.0, y(value)), &format!("stroke=\"{FRAME}\""));
        canvas.text((LEFT - 14.0, y(value) + 4.5), "end", name);
    }
    if let Some(others) = others {
        let line: Vec<(f64, f64)> = others.iter().enumerate().map(|(i, v)| (x(i), y(*v))).collect();
        canvas.path(&line, &format!("fill=\"none\" stroke=\"{OTHERS}\" stroke-width=\"2\" stroke-dasharray=\"6 4\""));
    }
    let line: Vec<(f64, f64)> = own.iter().enumerate().map(|(i, v)| (x(i), y(v.0))).collect();
    canvas.path(&line, &format!("fill=\"none\" stroke=\"{OWN}\" stroke-width=\"2\""));
    for (i, (mean, (low, high))) in own.iter().enumerate() {
        canvas.line((x(i), y(*low)), (x(i), y(*high)), &format!("stroke=\"{OWN}\" stroke-width=\"2\""));
        canvas.dot(
            (x(i), y(*mean)),
            4.5,
            &format!("fill=\"{}\" stroke=\"#fff\"", if i + 1 == ARC { MARK } else { OWN }),
        );
    }
    for i in [0, 2, 4] {
        let anchor = ["start", "middle", "end"][i / 2];
        let at = [x(0) - 10.0, x(2), x(4) + 14.0][i / 2];
        canvas.text((at, FLOOR + 22.0), anchor, NAMES[i]);
    }
    let rows = (0..ARC).map(|i| {
        let (mean, (low, high)) = own[i];
        let mut row = vec![NAMES[i].to_owned(), signed(mean), format!("{} to {}", signed(low), signed(high))];
        row.extend(others.map(|o| signed(o[i])));
        row
    });
    let mut head = vec!["", "mean", "95 % interval"];
    if others.is_some() {
        head.push(whose);
    }
    canvas.finish(title, description, &head, rows.collect())
}

/// Two decimals and a sign; nothing is −0.
pub(in crate::reports) fn signed(x: f64) -> String {
    let text = format!("{x:+.2}");
    if text == "-0.00" { "+0.00".to_owned() } else { text.replace('-', "−") }
}
