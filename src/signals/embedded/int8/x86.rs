//! The products with vector instructions of x86-64.

use super::{GROUP, PANEL, Tile};
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_storeu_ps, _mm256_sub_epi32, _mm512_add_ps,
    _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_sub_epi32,
};

/// What one step of a panel takes.
const STEP: usize = GROUP * PANEL;

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512_vnni(tile: &mut Tile<'_>) {
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
    let mut rows = tile.out.chunks_mut(tile.width);
    for (sums, a_scale) in sums.into_iter().zip(tile.a_scales) {
        let (Some(out), a_scale) = (rows.next(), _mm512_set1_ps(*a_scale)) else { return };
        for (p, sum) in sums.into_iter().enumerate() {
            let at = p * PANEL;
            assert!(out.len() >= at + PANEL && tile.scales.len() >= at + PANEL);
            assert!(tile.lifted.len() >= at + PANEL && tile.bias.len() >= at + PANEL);
            // SAFETY: sixteen numbers each, by the assertions above.
            unsafe {
                let sum = _mm512_sub_epi32(sum, _mm512_loadu_si512(tile.lifted.as_ptr().add(at).cast()));
                let scale = _mm512_mul_ps(a_scale, _mm512_loadu_ps(tile.scales.as_ptr().add(at)));
                let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale);
                let value = _mm512_add_ps(scaled, _mm512_loadu_ps(tile.bias.as_ptr().add(at)));
                _mm512_storeu_ps(out.as_mut_ptr().add(at), value);
            }
        }
    }
}

#[target_feature(enable = "avx2,avxvnni")]
pub(super) fn avx2_vnni(tile: &mut Tile<'_>) {
    match tile.a.len() / tile.k {
        6 => bytes256::<6>(tile),
        4 => bytes256::<4>(tile),
        _ => bytes256::<1>(tile),
    }
}

#[target_feature(enable = "avx2,avxvnni")]
#[inline]
fn bytes256<const N: usize>(tile: &mut Tile<'_>) {
    let k = tile.k;
    assert!(tile.a.len() >= N * k && tile.weights.len() >= PANEL * k && k.is_multiple_of(GROUP));
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    let (a, weights) = (tile.a.as_ptr(), tile.weights.as_ptr());
    for group in 0..k / GROUP {
        // SAFETY: the assertion above bounds both: a panel has `k / 4` steps of 64 bytes.
        let w = unsafe { [load(weights.add(group * STEP)), load(weights.add(group * STEP + STEP / 2))] };
        for (n, sums) in sums.iter_mut().enumerate() {
            // SAFETY: likewise, row `n` has `k` bytes.
            let x = _mm256_set1_epi32(unsafe { a.add(n * k + group * GROUP).cast::<i32>().read_unaligned() });
            for (sum, w) in sums.iter_mut().zip(w) {
                *sum = _mm256_dpbusd_avx_epi32(*sum, x, w);
            }
        }
    }
    write(tile, sums);
}

#[target_feature(enable = "avx2")]
pub(super) fn avx2(tile: &mut Tile<'_>) {
    if tile.a.len() == 3 * tile.k { words256::<3>(tile) } else { words256::<1>(tile) }
}

/// Eight depths at a time: two products of bytes twice over in sixteen bits, then those in thirty-two.
#[target_feature(enable = "avx2")]
#[inline]
fn words256<const N: usize>(tile: &mut Tile<'_>) {
    let k = tile.k;
    assert!(tile.a.len() >= N * k && tile.weights.len() >= PANEL * k && k.is_multiple_of(2 * GROUP));
    let ones = _mm256_set1_epi16(1);
    let mut sums = [[_mm256_setzero_si256(); 2]; N];
    let (a, weights) = (tile.a.as_ptr(), tile.weights.as_ptr());
    for pair in 0..k / (2 * GROUP) {
        let w = [0, 1, 2, 3].map(|i| {
            // SAFETY: the assertion above bounds both: a panel has `k / 4` steps of 64 bytes.
            unsafe { load(weights.add(2 * pair * STEP + i * STEP / 2)) }
        });
        for (n, sums) in sums.iter_mut().enumerate() {
            let at = n * k + 2 * pair * GROUP;
            // SAFETY: likewise, row `n` has `k` bytes.
            let four = |at: usize| unsafe { a.add(at).cast::<i32>().read_unaligned() };
            let (first, second) = (_mm256_set1_epi32(four(at)), _mm256_set1_epi32(four(at + GROUP)));
            for (half, sum) in sums.iter_mut().enumerate() {
                let (first, second) = (_mm256_maddubs_epi16(first, w[half]), _mm256_maddubs_epi16(second, w[2 + half]));
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_add_epi16(first, second), ones));
            }
        }
    }
    write(tile, sums);
}

/// # Safety
/// There are 32 bytes at `from`.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn load(from: *const i8) -> __m256i {
    // SAFETY: as the caller says.
    unsafe { _mm256_loadu_si256(from.cast()) }
}

/// Scales the sums of each row and writes them.
#[target_feature(enable = "avx2")]
#[inline]
fn write<const N: usize>(tile: &mut Tile<'_>, sums: [[__m256i; 2]; N]) {
    assert!(tile.scales.len() >= PANEL && tile.lifted.len() >= PANEL && tile.bias.len() >= PANEL);
    let mut rows = tile.out.chunks_mut(tile.width);
    for (sums, a_scale) in sums.into_iter().zip(tile.a_scales) {
        let (Some(out), a_scale) = (rows.next(), _mm256_set1_ps(*a_scale)) else { return };
        assert!(out.len() >= PANEL);
        for (half, sum) in sums.into_iter().enumerate() {
            let at = half * PANEL / 2;
            // SAFETY: eight numbers each, by the assertions above.
            unsafe {
                let sum = _mm256_sub_epi32(sum, _mm256_loadu_si256(tile.lifted.as_ptr().add(at).cast()));
                let scale = _mm256_mul_ps(a_scale, _mm256_loadu_ps(tile.scales.as_ptr().add(at)));
                let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale);
                let value = _mm256_add_ps(scaled, _mm256_loadu_ps(tile.bias.as_ptr().add(at)));
                _mm256_storeu_ps(out.as_mut_ptr().add(at), value);
            }
        }
    }
}
