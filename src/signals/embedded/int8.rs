//! Matrix product with an 8-bit weight: `out[m, n] = a[m, k] · w[n, k]ᵀ + bias`.
//!
//! A row of `a` is rounded to 8 bits by its own largest value, a row of `w` was by its own; the product is of whole numbers, so it is exact:
//! the same on every processor, whatever instructions it has. The weight is packed once in panels of 16 output columns, in which as many
//! depths stand side by side as the processor's instruction adds up.

use super::processor::Vectors;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

/// Columns of a panel.
const PANEL: usize = 16;
/// Rows that pass over the whole weight before the next ones do.
const ROWS: usize = 96;
/// What is added to a row's bytes, for the instructions that take bytes multiply unsigned by signed ones.
const LIFT: i32 = 128;

/// The products of up to twelve rows with up to two panels.
type Sums = [[i32; 2 * PANEL]; 12];

/// A weight matrix `[n, k]` of 8-bit numbers with a scale for each output column and its bias.
pub(super) struct Int8 {
    panels: Vec<i8>,
    scales: Vec<f32>,
    /// [`LIFT`] times the sum of each column's weights, which the lift adds to its product; zero where rows are not lifted.
    lifted: Vec<i32>,
    bias: Vec<f32>,
    k: usize,
    /// What the weight was packed for.
    vectors: Vectors,
}

/// Rows of `a` in 8 bits, kept between products so that no memory is asked for twice.
#[derive(Default)]
pub(super) struct Rounded {
    /// Lifted, for instructions that take bytes.
    bytes: Vec<u8>,
    /// For all others.
    pairs: Vec<i16>,
    scales: Vec<f32>,
}

impl Rounded {
    /// Rounds rows of `k` values for a product.
    #[inline(always)]
    pub(super) fn fill(&mut self, a: &[f32], product: &Int8) {
        self.scales.clear();
        if in_bytes(product.vectors) {
            self.bytes.resize(a.len(), 0);
            round(a, product.k, &mut self.bytes, &mut self.scales, |whole| whole as u8 ^ 0x80);
        } else {
            self.pairs.resize(a.len(), 0);
            round(a, product.k, &mut self.pairs, &mut self.scales, |whole| whole as i16);
        }
    }
}

/// `keep` makes of a whole number's lowest bits what is kept.
#[inline(always)]
fn round<T>(a: &[f32], k: usize, out: &mut [T], scales: &mut Vec<f32>, keep: impl Fn(u32) -> T) {
    for (row, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(k)) {
        let mut lanes = [0f32; 16];
        for part in row.as_chunks::<16>().0 {
            for i in 0..16 {
                let x = part[i].abs();
                lanes[i] = if x > lanes[i] { x } else { lanes[i] };
            }
        }
        let top = lanes.into_iter().fold(1e-20, f32::max);
        let up = 127.0 / top;
        for (x, out) in row.iter().zip(out) {
            // Adding 1.5 · 2²³ rounds to the nearest whole number and leaves it in the lowest bits.
            *out = keep((x * up + 12_582_912.0).to_bits());
        }
        scales.push(top / 127.0);
    }
}

/// Whether the processor's instruction takes bytes, four depths at a time; otherwise it takes two 16-bit numbers.
fn in_bytes(vectors: Vectors) -> bool {
    match vectors {
        #[cfg(target_arch = "x86_64")]
        Vectors::Avx2Vnni | Vectors::Avx512Vnni => true,
        _ => false,
    }
}

impl Int8 {
    /// Packs a row-major `[n, k]` weight; none where the sizes do not fit, `n` is no multiple of 16 or `k` of 16.
    pub(super) fn new(weight: &[i8], scales: Vec<f32>, bias: Vec<f32>, k: usize) -> Option<Self> {
        Self::packed_for(Vectors::best(), weight, scales, bias, k)
    }

    fn packed_for(vectors: Vectors, weight: &[i8], scales: Vec<f32>, bias: Vec<f32>, k: usize) -> Option<Self> {
        let n = bias.len();
        let fits = n > 0 && k > 0 && weight.len() == n * k && scales.len() == n;
        if !fits || !n.is_multiple_of(PANEL) || !k.is_multiple_of(16) {
            return None;
        }
        let together = if in_bytes(vectors) { 4 } else { 2 };
        let mut panels = Vec::with_capacity(n * k);
        for panel in 0..n / PANEL {
            for group in 0..k / together {
                for column in 0..PANEL {
                    let at = (panel * PANEL + column) * k + group * together;
                    panels.extend_from_slice(&weight[at..at + together]);
                }
            }
        }
        let lift = if in_bytes(vectors) { LIFT } else { 0 };
        let lifted = weight.chunks_exact(k).map(|row| lift * row.iter().map(|w| i32::from(*w)).sum::<i32>()).collect();
        Some(Self { panels, scales, lifted, bias, k, vectors })
    }

    /// The output's width.
    pub(super) fn width(&self) -> usize {
        self.bias.len()
    }

    /// `out[rows, n]` of rows rounded for this product, row-major.
    #[inline(always)]
    pub(super) fn apply(&self, a: &Rounded, out: &mut Vec<f32>) {
        out.resize(a.scales.len() * self.width(), 0.0);
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: the weight is packed for instructions that the processor was found to have.
        match self.vectors {
            Vectors::Avx512Vnni => {
                return self.blocks(&a.bytes, &a.scales, out, &[12, 4, 1], 2, |tile| unsafe { x86::avx512_vnni(tile) });
            }
            Vectors::Avx2Vnni => {
                return self.blocks(&a.bytes, &a.scales, out, &[6, 4, 1], 1, |tile| unsafe { x86::avx2_vnni(tile) });
            }
            Vectors::Avx2 | Vectors::Avx512 => {
                return self.blocks(&a.pairs, &a.scales, out, &[6, 3, 1], 1, |tile| unsafe { x86::avx2(tile) });
            }
            Vectors::Plain => {}
        }
        self.blocks(&a.pairs, &a.scales, out, &[1], 1, portable);
    }

    /// Calls the kernel for tiles of `heights` rows, the first that fits, and of up to `wide` panels.
    #[inline(always)]
    fn blocks<T>(
        &self,
        a: &[T],
        row_scales: &[f32],
        out: &mut [f32],
        heights: &[usize],
        wide: usize,
        kernel: impl Fn(&mut Tile<'_, T>),
    ) {
        let (rows, n, k) = (row_scales.len(), self.width(), self.k);
        let mut sums = [[0; 2 * PANEL]; 12];
        for top in (0..rows).step_by(ROWS) {
            let bottom = (top + ROWS).min(rows);
            for first in (0..n / PANEL).step_by(wide) {
                let panels = wide.min(n / PANEL - first);
                let weights = &self.panels[first * PANEL * k..(first + panels) * PANEL * k];
                let at = first * PANEL..(first + panels) * PANEL;
                let (scales, lifted, bias) =
                    (&self.scales[at.clone()], &self.lifted[at.clone()], &self.bias[at.clone()]);
                let mut row = top;
                while row < bottom {
                    let height = heights.iter().copied().find(|h| row + h <= bottom).unwrap_or(1);
                    kernel(&mut Tile { a: &a[row * k..(row + height) * k], k, weights, sums: &mut sums });
                    for (i, sums) in sums[..height].iter().enumerate() {
                        let out = &mut out[(row + i) * n..(row + i + 1) * n][at.clone()];
                        let scale = row_scales[row + i];
                        for panel in 0..panels {
                            let sums: &[i32; PANEL] = sums[panel * PANEL..].first_chunk().expect("a panel's sums");
                            let part = panel * PANEL..(panel + 1) * PANEL;
                            let (out, lifted) = (&mut out[part.clone()], &lifted[part.clone()]);
                            let (scales, bias) = (&scales[part.clone()], &bias[part]);
                            for c in 0..PANEL {
                                out[c] = (sums[c] - lifted[c]) as f32 * (scale * scales[c]) + bias[c];
                            }
                        }
                    }
                    row += height;
                }
            }
        }
    }
}

/// Some rows against one or two panels.
struct Tile<'a, T> {
    /// The rows, end to end.
    a: &'a [T],
    k: usize,
    weights: &'a [i8],
    /// The products, written over what was there.
    sums: &'a mut Sums,
}

/// One row, without vector instructions of a certain processor.
fn portable(tile: &mut Tile<'_, i16>) {
    let sums = &mut tile.sums[0];
    sums.fill(0);
    let (weights, _) = tile.weights.as_chunks::<{ 2 * PANEL }>();
    for (a, weights) in tile.a.as_chunks::<2>().0.iter().zip(weights) {
        for (sum, w) in sums.iter_mut().zip(weights.as_chunks::<2>().0) {
            *sum += i32::from(a[0]) * i32::from(w[0]) + i32::from(a[1]) * i32::from(w[1]);
        }
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

    fn weight(n: usize, k: usize, vectors: Vectors) -> (Vec<i8>, Int8) {
        let weight: Vec<i8> = numbers(n * k, 1).into_iter().map(|x| (x % 255) as i8).collect();
        let scales = (0..n).map(|i| 0.01 + i as f32 * 1e-3).collect();
        let bias = (0..n).map(|i| i as f32 - 7.0).collect();
        let packed = Int8::packed_for(vectors, &weight, scales, bias, k).unwrap();
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
                let (weight, packed) = weight(n, k, vectors);
                for count in [1, 2, 3, 4, 5, 6, 9, 12, 13, 17, 96, 103] {
                    let a = rows(count, k);
                    let mut rounded = Rounded::default();
                    rounded.fill(&a, &packed);
                    let mut out = Vec::new();
                    packed.apply(&rounded, &mut out);
                    for (row, out) in out.chunks(n).enumerate() {
                        let a = &a[row * k..(row + 1) * k];
                        let top = a.iter().fold(0f32, |top, x| top.max(x.abs()));
                        for (c, out) in out.iter().enumerate() {
                            let sum: i32 = a
                                .iter()
                                .zip(&weight[c * k..])
                                .map(|(a, w)| (a * (127.0 / top)).round_ties_even() as i32 * i32::from(*w))
                                .sum();
                            let exact = sum as f32 * (top / 127.0 * packed.scales[c]) + packed.bias[c];
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
        let (_, product) = weight(16, 16, Vectors::Plain);
        let mut rounded = Rounded::default();
        let a: Vec<f32> = (0..16).map(|i| (i as f32 - 8.0) * 0.5).collect();
        rounded.fill(&a, &product);
        let back: Vec<f32> = rounded.pairs.iter().map(|b| f32::from(*b) * rounded.scales[0]).collect();
        assert_eq!(rounded.pairs[0], -127);
        assert!(a.iter().zip(&back).all(|(a, b)| (a - b).abs() <= rounded.scales[0] / 2.0 + 1e-6), "{back:?}");
        rounded.fill(&[0.0; 16], &product);
        assert_eq!(rounded.pairs, [0; 16], "nothing stays nothing");
    }
}
