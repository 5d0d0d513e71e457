//! Matrix product with a weight of small whole numbers: `out[m, n] = a[m, k] · w[n, k]ᵀ + bias`.
//!
//! Weights and rows have seven bits, from −63 to 63: a row of `a` is rounded by its own largest value, a row of `w` was by its own. So small,
//! two products of bytes fit sixteen bits twice over, which is what processors without dot-product instructions need to be fast; and the sums
//! are exact, the same on every processor. The weight is packed once in panels of 16 output columns, four depths side by side.

use super::processor::Vectors;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

/// Columns of a panel.
const PANEL: usize = 16;
/// Depths that stand side by side.
const GROUP: usize = 4;
/// Rows that pass over the whole weight before the next ones do.
const ROWS: usize = 96;
/// The largest number.
const TOP: i8 = 63;
/// What is added to a row's numbers, for the instructions multiply unsigned bytes by signed ones.
const LIFT: i32 = 64;

/// A weight matrix `[n, k]` with a scale for each output column and its bias.
pub(super) struct Int8 {
    panels: Vec<i8>,
    scales: Vec<f32>,
    /// [`LIFT`] times the sum of each column's weights: what the lift added to its product.
    lifted: Vec<i32>,
    bias: Vec<f32>,
    k: usize,
}

/// Rows of `a` in seven bits, kept between products so that no memory is asked for twice.
#[derive(Default)]
pub(super) struct Rounded {
    bytes: Vec<u8>,
    scales: Vec<f32>,
}

impl Rounded {
    /// Rounds rows of `k` values.
    #[inline(always)]
    pub(super) fn fill(&mut self, a: &[f32], k: usize) {
        self.bytes.resize(a.len(), 0);
        self.scales.clear();
        for (row, bytes) in a.chunks_exact(k).zip(self.bytes.chunks_exact_mut(k)) {
            let mut lanes = [0f32; 16];
            for part in row.as_chunks::<16>().0 {
                for i in 0..16 {
                    let x = part[i].abs();
                    lanes[i] = if x > lanes[i] { x } else { lanes[i] };
                }
            }
            let top = lanes.into_iter().fold(1e-20, f32::max);
            let up = f32::from(TOP) / top;
            for (x, byte) in row.iter().zip(bytes) {
                // Adding 1.5 · 2²³ rounds to the nearest whole number and leaves it, with what else is added, in the lowest bits.
                *byte = (x * up + (12_582_912.0 + LIFT as f32)).to_bits() as u8;
            }
            self.scales.push(top / f32::from(TOP));
        }
    }
}

impl Int8 {
    /// Packs a row-major `[n, k]` weight; none where the sizes do not fit, `n` is no multiple of 16 or `k` of 16, or a weight is too large.
    pub(super) fn new(weight: &[i8], scales: Vec<f32>, bias: Vec<f32>, k: usize) -> Option<Self> {
        let n = bias.len();
        let fits = n > 0 && k > 0 && weight.len() == n * k && scales.len() == n;
        let small = weight.iter().all(|w| (-TOP..=TOP).contains(w));
        if !fits || !small || !n.is_multiple_of(PANEL) || !k.is_multiple_of(16) {
            return None;
        }
        let mut panels = Vec::with_capacity(n * k);
        for panel in 0..n / PANEL {
            for group in 0..k / GROUP {
                for column in 0..PANEL {
                    let at = (panel * PANEL + column) * k + group * GROUP;
                    panels.extend_from_slice(&weight[at..at + GROUP]);
                }
            }
        }
        let lifted = weight.chunks_exact(k).map(|row| LIFT * row.iter().map(|w| i32::from(*w)).sum::<i32>()).collect();
        Some(Self { panels, scales, lifted, bias, k })
    }

    /// The output's width.
    pub(super) fn width(&self) -> usize {
        self.bias.len()
    }

    /// The input's width.
    pub(super) fn depth(&self) -> usize {
        self.k
    }

    /// `out[rows, n]` of rounded rows, row-major.
    #[inline(always)]
    pub(super) fn apply(&self, a: &Rounded, out: &mut Vec<f32>) {
        self.apply_with(Vectors::best(), a, out);
    }

    /// `vectors` must be there.
    #[inline(always)]
    fn apply_with(&self, vectors: Vectors, a: &Rounded, out: &mut Vec<f32>) {
        out.resize(a.scales.len() * self.width(), 0.0);
        #[allow(unsafe_code)]
        // SAFETY: the processor was found to have these instructions.
        match vectors {
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx512Vnni => self.blocks(a, out, &[12, 4, 1], 2, |tile| unsafe { x86::avx512_vnni(tile) }),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2Vnni => self.blocks(a, out, &[6, 4, 1], 1, |tile| unsafe { x86::avx2_vnni(tile) }),
            #[cfg(target_arch = "x86_64")]
            Vectors::Avx2 | Vectors::Avx512 => self.blocks(a, out, &[3, 1], 1, |tile| unsafe { x86::avx2(tile) }),
            Vectors::Plain => self.blocks(a, out, &[1], 1, portable),
        }
    }

    /// Calls the kernel for tiles of `heights` rows, the first that fits, and of up to `wide` panels.
    #[inline(always)]
    fn blocks(&self, a: &Rounded, out: &mut [f32], heights: &[usize], wide: usize, kernel: impl Fn(&mut Tile<'_>)) {
        let (rows, n, k) = (a.scales.len(), self.width(), self.k);
        for top in (0..rows).step_by(ROWS) {
            let bottom = (top + ROWS).min(rows);
            for first in (0..n / PANEL).step_by(wide) {
                let panels = first..(first + wide).min(n / PANEL);
                let columns = panels.start * PANEL..panels.end * PANEL;
                let mut row = top;
                while row < bottom {
                    let height = heights.iter().copied().find(|h| row + h <= bottom).unwrap_or(1);
                    kernel(&mut Tile {
                        a: &a.bytes[row * k..(row + height) * k],
                        a_scales: &a.scales[row..row + height],
                        k,
                        weights: &self.panels[columns.start * k..columns.end * k],
                        scales: &self.scales[columns.clone()],
                        lifted: &self.lifted[columns.clone()],
                        bias: &self.bias[columns.clone()],
                        out: &mut out[row * n + columns.start..(row + height - 1) * n + columns.end],
                        width: n,
                    });
                    row += height;
                }
            }
        }
    }
}

/// Some rows against one or two panels.
struct Tile<'a> {
    /// The rows, end to end.
    a: &'a [u8],
    /// A scale for each row.
    a_scales: &'a [f32],
    k: usize,
    weights: &'a [i8],
    /// For each column, as in [`Int8`].
    scales: &'a [f32],
    lifted: &'a [i32],
    bias: &'a [f32],
    /// From the first row's first column; the next row is `width` on.
    out: &'a mut [f32],
    width: usize,
}

/// One row, without vector instructions of a certain processor.
fn portable(tile: &mut Tile<'_>) {
    let mut sums = [0i32; PANEL];
    let (weights, _) = tile.weights.as_chunks::<{ GROUP * PANEL }>();
    for (a, weights) in tile.a.as_chunks::<GROUP>().0.iter().zip(weights) {
        for (sum, w) in sums.iter_mut().zip(weights.as_chunks::<GROUP>().0) {
            *sum += a.iter().zip(w).map(|(a, w)| i32::from(*a) * i32::from(*w)).sum::<i32>();
        }
    }
    for (c, sum) in sums.into_iter().enumerate() {
        tile.out[c] = (sum - tile.lifted[c]) as f32 * (tile.a_scales[0] * tile.scales[c]) + tile.bias[c];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<u64> {
        let mut x = seed | 1;
        let next = move || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            x >> 40
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    fn weight(n: usize, k: usize) -> (Vec<i8>, Int8) {
        let weight: Vec<i8> = numbers(n * k, 1).into_iter().map(|x| (x % 127) as i8 - TOP).collect();
        let scales = (0..n).map(|i| 0.01 + i as f32 * 1e-3).collect();
        let bias = (0..n).map(|i| i as f32 - 7.0).collect();
        let packed = Int8::new(&weight, scales, bias, k).unwrap();
        (weight, packed)
    }

    fn rows(count: usize, k: usize) -> Vec<f32> {
        numbers(count * k, 3).into_iter().map(|x| x as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    #[test]
    fn every_kernel_gives_the_same_bits() {
        let mut tried = 0;
        for vectors in Vectors::ALL.into_iter().filter(|v| v.present()) {
            tried += 1;
            for (n, k) in [(48, 64), (32, 400), (16, 16)] {
                let (weight, packed) = weight(n, k);
                for count in [1, 2, 3, 4, 5, 6, 9, 12, 13, 17, 96, 103] {
                    let a = rows(count, k);
                    let mut rounded = Rounded::default();
                    rounded.fill(&a, k);
                    let mut out = Vec::new();
                    packed.apply_with(vectors, &rounded, &mut out);
                    for (row, out) in out.chunks(n).enumerate() {
                        let a = &a[row * k..(row + 1) * k];
                        let top = a.iter().fold(0f32, |top, x| top.max(x.abs()));
                        for (c, out) in out.iter().enumerate() {
                            let sum: i32 = a
                                .iter()
                                .zip(&weight[c * k..])
                                .map(|(a, w)| (a * (63.0 / top)).round_ties_even() as i32 * i32::from(*w))
                                .sum();
                            let exact = sum as f32 * (top / 63.0 * packed.scales[c]) + packed.bias[c];
                            assert_eq!(out.to_bits(), exact.to_bits(), "{vectors:?}, {n}x{k}, row {row}, column {c}");
                        }
                    }
                }
            }
        }
        assert!(tried >= 1 && Vectors::Plain.present());
    }

    #[test]
    fn rounding_is_to_the_nearest_and_keeps_the_largest() {
        let mut rounded = Rounded::default();
        let a: Vec<f32> = (0..16).map(|i| (i as f32 - 8.0) * 0.5).collect();
        rounded.fill(&a, 16);
        let back: Vec<f32> = rounded.bytes.iter().map(|b| (f32::from(*b) - LIFT as f32) * rounded.scales[0]).collect();
        assert_eq!(rounded.bytes[0], 1, "−63, lifted");
        assert!(a.iter().zip(&back).all(|(a, b)| (a - b).abs() <= rounded.scales[0] / 2.0 + 1e-6), "{back:?}");
        rounded.fill(&[0.0; 16], 16);
        assert_eq!(rounded.bytes, [64; 16], "nothing stays nothing");
    }

    #[test]
    fn weights_that_could_run_over_are_refused() {
        let packed = |w: i8| Int8::new(&[w; 256], vec![1.0; 16], vec![0.0; 16], 16);
        assert!(packed(-63).is_some() && packed(64).is_none() && packed(-128).is_none());
    }
}
