//! A heat strip: shares in rows and columns, darker where larger, each with its number.

use super::{Canvas, Plot, WIDTH, percent, short};

const LEFT: f64 = 132.0;
const STEP: f64 = 28.0;
const HEAD: f64 = 40.0;

/// Draws one cell for each share; none is an empty cell. The rows have as many cells as there are columns.
pub fn strip(id: &str, title: &str, description: &str, columns: &[&str], lines: &[(String, Vec<Option<f64>>)]) -> Plot {
    let mut canvas = Canvas::new(id, HEAD + lines.len() as f64 * STEP + 4.0);
    let width = (WIDTH - LEFT) / columns.len().max(1) as f64;
    let largest = lines.iter().flat_map(|(_, v)| v.iter().flatten().copied()).fold(1e-9, f64::max);
    for (i, name) in columns.iter().enumerate() {
        let middle = LEFT + (i as f64 + 0.5) * width;
        // Two lines: the last word on the second.
        let (first, second) = name.rsplit_once(' ').unwrap_or(("", name));
        canvas.text((middle, 15.0), "middle", &short(first, 13));
        canvas.text((middle, 31.0), "middle", &short(second, 13));
    }
    for (row, (name, values)) in lines.iter().enumerate() {
        let y = HEAD + row as f64 * STEP;
        canvas.text((0.0, y + STEP / 2.0 + 4.5), "start", &short(name, 20));
        for (i, value) in values.iter().enumerate() {
            let corner = (LEFT + i as f64 * width + 1.5, y + 1.5);
            let size = (width - 3.0, STEP - 3.0);
            let middle = (LEFT + (i as f64 + 0.5) * width, y + STEP / 2.0 + 4.5);
            match value {
                // At most half as dark as the darkest, so that the number on it can be read.
                Some(v) => {
                    let style = format!(
                        "fill=\"#56b4e9\" fill-opacity=\"{:.2}\" stroke=\"#c9d0d7\"",
                        (v / largest).clamp(0.0, 1.0) * 0.8
                    );
                    canvas.area(corner, size, &style);
                    canvas.text(middle, "middle", &percent(*v));
                }
                None => {
                    canvas.area(corner, size, "fill=\"none\" stroke=\"#c9d0d7\"");
                    canvas.text(middle, "middle", "–");
                }
            }
        }
    }
    let table = lines.iter().map(|(name, values)| {
        let cells = values.iter().map(|v| v.map_or_else(|| "–".to_owned(), percent));
        std::iter::once(name.clone()).chain(cells).collect()
    });
    let head: Vec<&str> = std::iter::once("").chain(columns.iter().copied()).collect();
    canvas.finish(title, description, &head, table.collect())
}
