//! Which vector instructions the processor has. The answers of a model do not depend on it, but for the last bits of float products.

/// Sets of instructions that there are kernels for, from the plainest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    /// Those of every processor.
    Plain,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX2 with FMA and dot products of bytes.
    #[cfg(target_arch = "x86_64")]
    Avx2Vnni,
    /// AVX-512 (F, BW, DQ, VL).
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX-512 with dot products of bytes.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
}

impl Vectors {
    /// All of them.
    #[cfg(test)]
    pub(super) const ALL: [Self; if cfg!(target_arch = "x86_64") { 5 } else { 1 }] = [
        Self::Plain,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2Vnni,
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx512Vnni,
    ];

    /// The best that this processor has. Asking costs next to nothing: the standard library remembers.
    #[inline]
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma");
            if avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                return if has!("avx512vnni") { Self::Avx512Vnni } else { Self::Avx512 };
            }
            if avx2 {
                return if has!("avxvnni") { Self::Avx2Vnni } else { Self::Avx2 };
            }
        }
        Self::Plain
    }

    /// Whether the processor has these.
    #[cfg(test)]
    pub(super) fn present(self) -> bool {
        let best = Self::best();
        match self {
            Self::Plain => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => best != Self::Plain,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2Vnni => best != Self::Plain && std::arch::is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => matches!(best, Self::Avx512 | Self::Avx512Vnni),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => best == Self::Avx512Vnni,
        }
    }
}
