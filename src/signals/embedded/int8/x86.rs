//! The products with vector instructions of x86-64.

use super::{PANEL, Sums, Tile};
use std::arch::x86_64::{
    __m256i, __m512i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_dpbusd_avx_epi32,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

/// Depths that a dot product of bytes adds up, and what one step of a panel takes.
const FOUR: usize = 4;
const STEP: usize = FOUR * PANEL;
/// Depths that a product of 16-bit pairs adds up.
const TWO: usize = 2;

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512_vnni(tile: &mut Tile<'_, u8>) {
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
fn rows512<const N: usize, const P: usize>(tile: &mut Tile<'_, u8>) {
    let k = tile.k;
    assert!(tile.a.len() >= N * k && tile.weights.len() >= P * PANEL * k && k.is_multiple_of(FOUR));
    let mut sums = [[_mm512_setzero_si512(); P]; N];
    let (a, weights) = (tile.a.as_ptr(), tile.weights.as_ptr());
    for group in 0..k / FOUR {
        let mut w: [__m512i; P] = [_mm512_setzero_si512(); P];
        for (p, w) in w.iter_mut().enumerate() {
            // SAFETY: the assertion above bounds both: a panel has `k / 4` steps of 64 bytes.
            *w = unsafe { _mm512_loadu_si512(weights.add(p * PANEL * k + group * STEP).cast()) };
        }
        for (n, sums) in sums.iter_mut().enumerate() {
            // SAFETY: likewise, row `n` has `k` bytes.
            let x = _mm512_set1_epi32(unsafe { a.add(n * k + group * FOUR).cast::<i32>().read_unaligned() });
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
pub(super) fn avx2_vnni(tile: &mut Tile<'_, u8>) {
    match tile.a.len() / tile.k {
        6 => bytes256::<6>(tile),
        4 => bytes256::<4>(tile),
        _ => bytes256::<1>(tile),
    }
}

#[target_feature(enable = "avx2,avxvnni")]
#[inline]
fn bytes256<const N: usize>(tile: &mut Tile<'_, u8>) {
    let k = tile.k;
    assert!(tile.a.len() >= N * k && tile.weights.len() >= PANEL * k && k.is_multiple_of(FOUR));
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    let (a, weights) = (tile.a.as_ptr(), tile.weights.as_ptr());
    for group in 0..k / FOUR {
        // SAFETY: the assertion above bounds both: a panel has `k / 4` steps of 64 bytes.
        let w = unsafe { [load(weights.add(group * STEP)), load(weights.add(group * STEP + STEP / 2))] };
        for (n, sums) in sums.iter_mut().enumerate() {
            // SAFETY: likewise, row `n` has `k` bytes.
            let x = _mm256_set1_epi32(unsafe { a.add(n * k + group * FOUR).cast::<i32>().read_unaligned() });
            for (sum, w) in sums.iter_mut().zip(w) {
                *sum = _mm256_dpbusd_avx_epi32(*sum, x, w);
            }
        }
    }
    write(tile.sums, sums);
}

#[target_feature(enable = "avx2")]
pub(super) fn avx2(tile: &mut Tile<'_, i16>) {
    match tile.a.len() / tile.k {
        6 => pairs256::<6>(tile),
        3 => pairs256::<3>(tile),
        _ => pairs256::<1>(tile),
    }
}

/// Sixteen bits at a time, for what multiplies bytes here would run over. Six rows and sixteen columns fill the registers; each number of the
/// rows is read once for all columns, each weight once for all rows.
#[target_feature(enable = "avx2")]
#[inline]
fn pairs256<const N: usize>(tile: &mut Tile<'_, i16>) {
    let k = tile.k;
    assert!(tile.a.len() >= N * k && tile.weights.len() >= PANEL * k && k.is_multiple_of(TWO));
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    let (a, weights) = (tile.a.as_ptr(), tile.weights.as_ptr());
    for pair in 0..k / TWO {
        // SAFETY: the assertion above bounds both: a panel has `k / 2` steps of 32 bytes.
        let halves = unsafe { weights.add(pair * TWO * PANEL).cast() };
        // SAFETY: likewise.
        let w = unsafe { [_mm_loadu_si128(halves), _mm_loadu_si128(halves.add(1))] }.map(|w| _mm256_cvtepi8_epi16(w));
        for (n, sums) in sums.iter_mut().enumerate() {
            // SAFETY: likewise, row `n` has `k` numbers.
            let x = _mm256_set1_epi32(unsafe { a.add(n * k + pair * TWO).cast::<i32>().read_unaligned() });
            for (sum, w) in sums.iter_mut().zip(w) {
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, w));
            }
        }
    }
    write(tile.sums, sums);
}

/// # Safety
/// There are 32 bytes at `from`.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load(from: *const i8) -> __m256i {
    // SAFETY: as the caller says.
    unsafe { _mm256_loadu_si256(from.cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn write<const N: usize>(to: &mut Sums, sums: [[__m256i; 2]; N]) {
    for (out, sums) in to.iter_mut().zip(sums) {
        for (out, sum) in out.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
            // SAFETY: eight numbers of 32 bits.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), sum) };
        }
    }
}
