//! Matrix product of floats: `out[m, n] += a[m, k] · w[n, k]ᵀ`.
//!
//! The weight is packed once in panels of 16 output columns. The kernel holds 6 rows × 16 columns in registers;
//! the sum over `k` runs in blocks of 192 in a fixed order, so that a row's result is the same in any batch.

use super::processor::Vectors;

/// Columns of a panel.
pub(super) const PANEL: usize = 16;
/// Rows of a tile.
const TILE: usize = 6;
/// Depth of a block: a panel of it and a tile's rows fit the first-level cache.
const DEPTH: usize = 192;
/// Rows that pass over the whole weight before the next ones do.
const ROWS: usize = 96;

/// A weight matrix `[n, k]` with its bias, packed for [`Float::apply`].
pub(super) struct Float {
    panels: Vec<f32>,
    bias: Vec<f32>,
    n: usize,
    k: usize,
}

impl Float {
    /// Packs a row-major `[n, k]` weight; none where the sizes do not fit or `n` is no multiple of 16.
    pub(super) fn new(weight: &[f32], bias: &[f32], k: usize) -> Option<Self> {
        let n = bias.len();
        if n == 0 || k == 0 || weight.len() != n * k || !n.is_multiple_of(PANEL) {
            return None;
        }
        let mut panels = Vec::with_capacity(n * k);
        for panel in 0..n / PANEL {
            for depth in 0..k {
                for column in 0..PANEL {
                    panels.push(weight[(panel * PANEL + column) * k + depth]);
                }
            }
        }
        Some(Self { panels, bias: bias.to_vec(), n, k })
    }

    /// The output's width.
    pub(super) fn width(&self) -> usize {
        self.n
    }

    /// `out[rows, n] = a[rows, k] · wᵀ + bias`, row-major.
    pub(super) fn apply(&self, a: &[f32], out: &mut Vec<f32>) {
        let rows = a.len() / self.k;
        out.clear();
        out.reserve(rows * self.n);
        for _ in 0..rows {
            out.extend_from_slice(&self.bias);
        }
        self.blocks(a, out, tile);
    }

    fn blocks(&self, a: &[f32], out: &mut [f32], kernel: impl Fn(Tile<'_>)) {
        let rows = a.len() / self.k;
        for top in (0..rows).step_by(ROWS) {
            let bottom = (top + ROWS).min(rows);
            for depth in (0..self.k).step_by(DEPTH) {
                let deep = DEPTH.min(self.k - depth);
                for (index, panel) in self.panels.chunks_exact(self.k * PANEL).enumerate() {
                    let panel = &panel[depth * PANEL..(depth + deep) * PANEL];
                    for row in (top..bottom).step_by(TILE) {
                        let count = TILE.min(bottom - row);
                        kernel(Tile {
                            a: &a[row * self.k + depth..],
                            stride: self.k,
                            panel,
                            out: &mut out[row * self.n + index * PANEL..],
                            width: self.n,
                            count,
                        });
                    }
                }
            }
        }
    }
}

/// A small product: to `rows` rows of `out`, `width` apart, adds those of `a`, `stride` apart, times panels of `depth` × 16 values.
#[inline(always)]
pub(super) fn add_product(
    (a, stride): (&[f32], usize),
    rows: usize,
    (panels, depth): (&[f32], usize),
    (out, width): (&mut [f32], usize),
) {
    for (index, panel) in panels.chunks_exact(depth * PANEL).enumerate() {
        for row in (0..rows).step_by(TILE) {
            let count = TILE.min(rows - row);
            let out = &mut out[row * width + index * PANEL..];
            tile(Tile { a: &a[row * stride..], stride, panel, out, width, count });
        }
    }
}

/// The kernel that fits the processor.
#[inline(always)]
fn tile(tile: Tile<'_>) {
    #[allow(unsafe_code)]
    match Vectors::best() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor was found to have AVX-512.
        Vectors::Avx512 | Vectors::Avx512Vnni => unsafe { avx512(tile) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor was found to have AVX2 and FMA.
        Vectors::Avx2 | Vectors::Avx2Vnni => unsafe { avx2(tile) },
        Vectors::Plain => portable(tile),
    }
}

/// Up to six rows against one panel.
struct Tile<'a> {
    /// From the first value of the first row; the next row is `stride` on.
    a: &'a [f32],
    stride: usize,
    /// `depth × 16` values.
    panel: &'a [f32],
    /// From the first output; the next row is `width` on.
    out: &'a mut [f32],
    width: usize,
    count: usize,
}

/// The same sums without vector instructions of a certain processor.
fn portable(tile: Tile<'_>) {
    for row in 0..tile.count {
        let a = &tile.a[row * tile.stride..];
        let mut sum = [0f32; PANEL];
        for (value, weights) in a.iter().zip(tile.panel.chunks_exact(PANEL)) {
            for (s, w) in sum.iter_mut().zip(weights) {
                *s += value * w;
            }
        }
        for (o, s) in tile.out[row * tile.width..].iter_mut().zip(sum) {
            *o += s;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(tile: Tile<'_>) {
    match tile.count {
        6 => wide_rows::<6>(tile),
        5 => wide_rows::<5>(tile),
        4 => wide_rows::<4>(tile),
        3 => wide_rows::<3>(tile),
        2 => wide_rows::<2>(tile),
        _ => wide_rows::<1>(tile),
    }
}

/// The same sums in the same order as with AVX2, sixteen at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[inline]
#[allow(unsafe_code)]
fn wide_rows<const N: usize>(tile: Tile<'_>) {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    let depth = tile.panel.len() / PANEL;
    assert!(tile.a.len() >= (N - 1) * tile.stride + depth && tile.out.len() >= (N - 1) * tile.width + PANEL);
    let mut sums = [_mm512_setzero_ps(); N];
    let (a, panel, out) = (tile.a.as_ptr(), tile.panel.as_ptr(), tile.out.as_mut_ptr());
    // SAFETY: the assertion above bounds every row read from `a` and written to `out`; `panel` holds `depth` times 16 values.
    unsafe {
        for d in 0..depth {
            let w = _mm512_loadu_ps(panel.add(d * PANEL));
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = _mm512_fmadd_ps(_mm512_set1_ps(*a.add(r * tile.stride + d)), w, *sum);
            }
        }
        for (r, sum) in sums.into_iter().enumerate() {
            let o = out.add(r * tile.width);
            _mm512_storeu_ps(o, _mm512_add_ps(_mm512_loadu_ps(o), sum));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(tile: Tile<'_>) {
    match tile.count {
        6 => rows::<6>(tile),
        5 => rows::<5>(tile),
        4 => rows::<4>(tile),
        3 => rows::<3>(tile),
        2 => rows::<2>(tile),
        _ => rows::<1>(tile),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
#[inline]
#[allow(unsafe_code)]
fn rows<const N: usize>(tile: Tile<'_>) {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    let depth = tile.panel.len() / PANEL;
    assert!(tile.a.len() >= (N - 1) * tile.stride + depth && tile.out.len() >= (N - 1) * tile.width + PANEL);
    let mut low = [_mm256_setzero_ps(); N];
    let mut high = [_mm256_setzero_ps(); N];
    let (a, panel, out) = (tile.a.as_ptr(), tile.panel.as_ptr(), tile.out.as_mut_ptr());
    // SAFETY: the assertion above bounds every row read from `a` and written to `out`; `panel` holds `depth` times 16 values.
    unsafe {
        for d in 0..depth {
            let (w0, w1) = (_mm256_loadu_ps(panel.add(d * PANEL)), _mm256_loadu_ps(panel.add(d * PANEL + 8)));
            for r in 0..N {
                let x = _mm256_set1_ps(*a.add(r * tile.stride + d));
                low[r] = _mm256_fmadd_ps(x, w0, low[r]);
                high[r] = _mm256_fmadd_ps(x, w1, high[r]);
            }
        }
        for r in 0..N {
            let o = out.add(r * tile.width);
            _mm256_storeu_ps(o, _mm256_add_ps(_mm256_loadu_ps(o), low[r]));
            _mm256_storeu_ps(o.add(8), _mm256_add_ps(_mm256_loadu_ps(o.add(8)), high[r]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut x = seed | 1;
        let mut next = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((x >> 40) as f32 / (1 << 24) as f32) - 0.5
        };
        (0..count).map(|_| next()).collect()
    }

    fn naive(a: &[f32], w: &[f32], bias: &[f32], k: usize) -> Vec<f32> {
        a.chunks(k)
            .flat_map(|row| {
                bias.iter()
                    .zip(w.chunks(k))
                    .map(|(b, col)| {
                        (f64::from(*b) + row.iter().zip(col).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>())
                            as f32
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn the_product_is_right_for_every_tile_height() {
        let (n, k) = (32, 400);
        let (w, bias) = (numbers(n * k, 1), numbers(n, 2));
        let packed = Float::new(&w, &bias, k).unwrap();
        for rows in [1, 2, 3, 4, 5, 6, 7, 96, 97, 103] {
            let a = numbers(rows * k, 3);
            let mut out = Vec::new();
            packed.apply(&a, &mut out);
            let want = naive(&a, &w, &bias, k);
            let worst = out.iter().zip(&want).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "{rows} rows: off by {worst}");
            let mut slow = want.clone();
            slow.chunks_mut(n).for_each(|row| row.copy_from_slice(&bias));
            packed.blocks(&a, &mut slow, portable);
            let worst = slow.iter().zip(&want).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-4, "portable, {rows} rows: off by {worst}");
        }
    }

    #[test]
    fn a_row_is_the_same_to_the_bit_in_any_company() {
        let (n, k) = (48, 384);
        let (w, bias) = (numbers(n * k, 5), numbers(n, 6));
        let packed = Float::new(&w, &bias, k).unwrap();
        let a = numbers(130 * k, 7);
        let mut all = Vec::new();
        packed.apply(&a, &mut all);
        for row in [0, 5, 6, 95, 96, 129] {
            let mut alone = Vec::new();
            packed.apply(&a[row * k..(row + 1) * k], &mut alone);
            assert_eq!(alone, all[row * n..(row + 1) * n], "row {row}");
        }
    }
}
