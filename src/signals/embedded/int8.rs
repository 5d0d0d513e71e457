//! Matrix product with an 8-bit weight: `out[m, n] = a[m, k] · w[n, k]ᵀ + bias`.
//!
//! A row of `a` is rounded to 8 bits by its own largest value, a row of `w` was by its own; the product is of whole numbers, so it is exact:
//! the same on every processor, whatever instructions it has. The weight is packed once in panels of 16 output columns, four depths side
//! by side, as the dot-product instructions (VNNI) take them.

/// Columns of a panel.
const PANEL: usize = 16;
/// Depths that one instruction adds up.
const GROUP: usize = 4;
/// Rows that pass over the whole weight before the next ones do.
const ROWS: usize = 96;
/// What is added to a row's numbers, for the instructions multiply unsigned by signed ones.
const LIFT: i32 = 128;

/// A weight matrix `[n, k]` of 8-bit numbers with a scale for each output column and its bias.
pub(super) struct Int8 {
    panels: Vec<i8>,
    scales: Vec<f32>,
    /// [`LIFT`] times the sum of each column's weights: what the lift added to its product.
    lifted: Vec<i32>,
    bias: Vec<f32>,
    k: usize,
}

/// Rows of `a` in 8 bits, kept between products so that no memory is asked for twice.
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
            let up = 127.0 / top;
            for (x, byte) in row.iter().zip(bytes) {
                // Adding 1.5 · 2²³ rounds to the nearest whole number and leaves it in the lowest bits.
                *byte = ((x * up + 12_582_912.0).to_bits() as u8) ^ 0x80;
            }
            self.scales.push(top / 127.0);
        }
    }
}

impl Int8 {
    /// Packs a row-major `[n, k]` weight; none where the sizes do not fit, `n` is no multiple of 16 or `k` of 16.
    pub(super) fn new(weight: &[i8], scales: Vec<f32>, bias: Vec<f32>, k: usize) -> Option<Self> {
        let n = bias.len();
        let fits = n > 0 && k > 0 && weight.len() == n * k && scales.len() == n;
        if !fits || !n.is_multiple_of(PANEL) || !k.is_multiple_of(16) {
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
    pub(super) fn apply(&self, a: &Rounded, out: &mut Vec<f32>) {
        out.resize(a.scales.len() * self.width(), 0.0);
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512vnni") {
                return self.blocks(a, out, &[12, 4, 1], 2, |tile| {
                    #[allow(unsafe_code)]
                    // SAFETY: the processor was just found to have AVX-512 with VNNI.
                    unsafe {
                        x86::avx512(tile);
                    }
                });
            }
            if has!("avx2") && has!("avxvnni") {
                return self.blocks(a, out, &[4, 1], 1, |tile| {
                    #[allow(unsafe_code)]
                    // SAFETY: the processor was just found to have AVX-VNNI.
                    unsafe {
                        x86::vnni(tile);
                    }
                });
            }
            if has!("avx2") {
                return self.blocks(a, out, &[2, 1], 1, |tile| {
                    #[allow(unsafe_code)]
                    // SAFETY: the processor was just found to have AVX2.
                    unsafe {
                        x86::avx2(tile);
                    }
                });
            }
        }
        self.blocks(a, out, &[1], 1, portable);
    }

    /// Calls the kernel for tiles of `heights` rows, the first that fits, and of up to `wide` panels.
    #[inline(always)]
    fn blocks(&self, a: &Rounded, out: &mut [f32], heights: &[usize], wide: usize, kernel: impl Fn(&mut Tile<'_>)) {
        let (rows, n, k) = (a.scales.len(), self.width(), self.k);
        let mut sums = [[0; 2 * PANEL]; 12];
        for top in (0..rows).step_by(ROWS) {
            let bottom = (top + ROWS).min(rows);
            for first in (0..n / PANEL).step_by(wide) {
                let panels = wide.min(n / PANEL - first);
                let weights = &self.panels[first * PANEL * k..(first + panels) * PANEL * k];
                let mut row = top;
                while row < bottom {
                    let height = heights.iter().copied().find(|h| row + h <= bottom).unwrap_or(1);
                    kernel(&mut Tile { a: &a.bytes[row * k..(row + height) * k], k, weights, sums: &mut sums });
                    for (i, sums) in sums[..height].iter().enumerate() {
                        let at = first * PANEL..(first + panels) * PANEL;
                        let out = &mut out[(row + i) * n..(row + i + 1) * n][at.clone()];
                        let (scales, lifted, bias) =
                            (&self.scales[at.clone()], &self.lifted[at.clone()], &self.bias[at]);
                        let scale = a.scales[row + i];
                        for c in 0..out.len() {
                            out[c] = (sums[c] - lifted[c]) as f32 * (scale * scales[c]) + bias[c];
                        }
                    }
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
    k: usize,
    weights: &'a [i8],
    /// The products, written over what was there.
    sums: &'a mut [[i32; 2 * PANEL]; 12],
}

/// One row, without vector instructions of a certain processor.
fn portable(tile: &mut Tile<'_>) {
    let sums = &mut tile.sums[0];
    sums.fill(0);
    let (weights, _) = tile.weights.as_chunks::<{ GROUP * PANEL }>();
    for (a, weights) in tile.a.as_chunks::<GROUP>().0.iter().zip(weights) {
        for (sum, w) in sums.iter_mut().zip(weights.as_chunks::<GROUP>().0) {
            *sum += a.iter().zip(w).map(|(a, w)| i32::from(*a) * i32::from(*w)).sum::<i32>();
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use super::{GROUP, PANEL, Tile};
    use std::arch::x86_64::{
        __m256i, __m512i, _mm_cvtepu8_epi16, _mm_cvtsi32_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm256_add_epi32,
        _mm256_cvtepi8_epi16, _mm256_dpbusd_avx_epi32, _mm256_hadd_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_permute4x64_epi64, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_storeu_si256,
        _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    };

    /// What one depth of a panel takes.
    const STEP: usize = GROUP * PANEL;

    /// Four bytes of a row.
    #[inline(always)]
    fn four(a: &[u8], at: usize) -> i32 {
        i32::from_le_bytes([a[at], a[at + 1], a[at + 2], a[at + 3]])
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn avx512(tile: &mut Tile<'_>) {
        let two = tile.weights.len() == 2 * PANEL * tile.k;
        match (tile.a.len() / tile.k, two) {
            (12, true) => rows512::<12, 2>(tile),
            (4, true) => rows512::<4, 2>(tile),
            (_, true) => rows512::<1, 2>(tile),
            (12, false) => rows512::<12, 1>(tile),
            (4, false) => rows512::<4, 1>(tile),
            (_, false) => rows512::<1, 1>(tile),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    #[inline]
    fn rows512<const N: usize, const P: usize>(tile: &mut Tile<'_>) {
        let k = tile.k;
        assert!(tile.a.len() >= N * k && tile.weights.len() >= P * PANEL * k && k.is_multiple_of(GROUP));
        let mut sums = [[_mm512_setzero_si512(); P]; N];
        let (a, weights) = (tile.a.as_ptr(), tile.weights.as_ptr());
        for group in 0..k / GROUP {
            let mut w: [__m512i; P] = [_mm512_setzero_si512(); P];
            for (p, w) in w.iter_mut().enumerate() {
                // SAFETY: the assertion above bounds both: a panel has `k / 4` steps of 64 bytes.
                *w = unsafe { _mm512_loadu_si512(weights.add(p * PANEL * k + group * STEP).cast()) };
            }
            for (n, sums) in sums.iter_mut().enumerate() {
                // SAFETY: likewise, row `n` has `k` bytes.
                let x = _mm512_set1_epi32(unsafe { a.add(n * k + group * GROUP).cast::<i32>().read_unaligned() });
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = _mm512_dpbusd_epi32(*sum, x, w);
                }
            }
        }
        for (out, sums) in tile.sums.iter_mut().zip(sums) {
            for (out, sum) in out.as_chunks_mut::<PANEL>().0.iter_mut().zip(sums) {
                // SAFETY: sixteen numbers of 32 bits.
                unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum) };
            }
        }
    }

    #[target_feature(enable = "avx2,avxvnni")]
    pub(super) fn vnni(tile: &mut Tile<'_>) {
        if tile.a.len() == 4 * tile.k { rows256::<4>(tile) } else { rows256::<1>(tile) }
    }

    #[target_feature(enable = "avx2,avxvnni")]
    #[inline]
    fn rows256<const N: usize>(tile: &mut Tile<'_>) {
        let k = tile.k;
        let mut sums = [[_mm256_setzero_si256(); 2]; N];
        for (group, weights) in tile.weights.as_chunks::<STEP>().0.iter().enumerate() {
            let halves = weights.as_chunks::<32>().0;
            let w = [load(&halves[0]), load(&halves[1])];
            for (n, sums) in sums.iter_mut().enumerate() {
                let x = _mm256_set1_epi32(four(tile.a, n * k + group * GROUP));
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = _mm256_dpbusd_avx_epi32(*sum, x, w);
                }
            }
        }
        for (out, sums) in tile.sums.iter_mut().zip(sums) {
            for (out, sum) in out.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
                store(out, sum);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(tile: &mut Tile<'_>) {
        if tile.a.len() == 2 * tile.k { rows16::<2>(tile) } else { rows16::<1>(tile) }
    }

    /// Sixteen bits at a time: what multiplies bytes here would run over.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn rows16<const N: usize>(tile: &mut Tile<'_>) {
        let k = tile.k;
        // Each holds two halves of four columns' sums.
        let mut sums = [[_mm256_setzero_si256(); 4]; N];
        for (group, weights) in tile.weights.as_chunks::<STEP>().0.iter().enumerate() {
            let quarters = weights.as_chunks::<16>().0;
            let mut x = [_mm256_setzero_si256(); N];
            for (n, x) in x.iter_mut().enumerate() {
                let bytes = _mm_cvtepu8_epi16(_mm_cvtsi32_si128(four(tile.a, n * k + group * GROUP)));
                *x = _mm256_set1_epi64x(_mm_cvtsi128_si64(bytes));
            }
            for (q, quarter) in quarters.iter().enumerate() {
                // SAFETY: sixteen bytes.
                let w = _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(quarter.as_ptr().cast()) });
                for (sums, x) in sums.iter_mut().zip(x) {
                    sums[q] = _mm256_add_epi32(sums[q], _mm256_madd_epi16(x, w));
                }
            }
        }
        for (out, sums) in tile.sums.iter_mut().zip(sums) {
            let out = out.as_chunks_mut::<8>().0;
            for (half, pair) in sums.as_chunks::<2>().0.iter().enumerate() {
                // Adding neighbours puts the lanes in the order 0 1 4 5 2 3 6 7.
                let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(pair[0], pair[1]));
                store(&mut out[half], both);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(from: &[i8; 32]) -> __m256i {
        // SAFETY: thirty-two bytes.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn store(to: &mut [i32; 8], from: __m256i) {
        // SAFETY: eight numbers of 32 bits.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), from) };
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
        let weight: Vec<i8> = numbers(n * k, 1).into_iter().map(|x| (x % 255) as i8).collect();
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
        for (n, k) in [(48, 64), (32, 400), (16, 16)] {
            let (weight, packed) = weight(n, k);
            for count in [1, 2, 3, 4, 5, 12, 13, 17, 96, 103] {
                let a = rows(count, k);
                let mut rounded = Rounded::default();
                rounded.fill(&a, k);
                let mut want = vec![0.0; count * n];
                packed.blocks(&rounded, &mut want, &[1], 1, portable);
                for (row, out) in want.chunks(n).enumerate() {
                    let bytes = &rounded.bytes[row * k..(row + 1) * k];
                    for (c, out) in out.iter().enumerate() {
                        let sum: i32 = bytes
                            .iter()
                            .zip(&weight[c * k..])
                            .map(|(a, w)| (i32::from(*a) - LIFT) * i32::from(*w))
                            .sum();
                        let exact = sum as f32 * (rounded.scales[row] * packed.scales[c]) + packed.bias[c];
                        assert_eq!(out.to_bits(), exact.to_bits(), "{n}x{k}, row {row}, column {c}");
                    }
                }
                let mut best = Vec::new();
                packed.apply(&rounded, &mut best);
                assert_eq!(best, want, "{n}x{k}, {count} rows");
                #[cfg(target_arch = "x86_64")]
                {
                    use std::arch::is_x86_feature_detected as has;
                    let mut out = vec![0.0; want.len()];
                    #[allow(unsafe_code)]
                    // SAFETY: each is called only where the processor was found to have it.
                    unsafe {
                        if has!("avx2") {
                            packed.blocks(&rounded, &mut out, &[2, 1], 1, |tile| x86::avx2(tile));
                            assert_eq!(out, want, "AVX2");
                        }
                        if has!("avx2") && has!("avxvnni") {
                            out.fill(0.0);
                            packed.blocks(&rounded, &mut out, &[4, 1], 1, |tile| x86::vnni(tile));
                            assert_eq!(out, want, "AVX-VNNI");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_and_keeps_the_largest() {
        let mut rounded = Rounded::default();
        let a: Vec<f32> = (0..16).map(|i| (i as f32 - 8.0) * 0.5).collect();
        rounded.fill(&a, 16);
        let back: Vec<f32> = rounded.bytes.iter().map(|b| (f32::from(*b) - LIFT as f32) * rounded.scales[0]).collect();
        assert_eq!(rounded.bytes[0], 1, "−127, lifted");
        assert!(a.iter().zip(&back).all(|(a, b)| (a - b).abs() <= rounded.scales[0] / 2.0 + 1e-6), "{back:?}");
        rounded.fill(&[0.0; 16], 16);
        assert_eq!(rounded.bytes, [128; 16], "nothing stays nothing");
    }
}
