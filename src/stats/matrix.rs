//! Small dense matrices, row by row: a model has tens of columns, not thousands.

/// A symmetric matrix of `k` × `k`, or any square one where said.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// Rows and columns.
    pub k: usize,
    /// Values, row by row.
    pub values: Vec<f64>,
}

impl Square {
    /// All zero.
    pub fn zero(k: usize) -> Self {
        Self { k, values: vec![0.0; k * k] }
    }

    /// The value in row `i`, column `j`.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.k + j]
    }

    /// Adds `weight` · x xᵀ.
    pub fn add_outer(&mut self, x: &[f64], weight: f64) {
        for (i, xi) in x.iter().enumerate().filter(|(_, xi)| **xi != 0.0) {
            let row = &mut self.values[i * self.k..(i + 1) * self.k];
            for (cell, xj) in row.iter_mut().zip(x) {
                *cell += weight * xi * xj;
            }
        }
    }

    /// The product with a vector.
    pub fn times(&self, x: &[f64]) -> Vec<f64> {
        self.values.chunks_exact(self.k).map(|row| dot(row, x)).collect()
    }

    /// The product with another matrix of the same size.
    pub fn product(&self, other: &Self) -> Self {
        let mut out = Self::zero(self.k);
        for i in 0..self.k {
            for l in 0..self.k {
                let a = self.at(i, l);
                if a != 0.0 {
                    for j in 0..self.k {
                        out.values[i * self.k + j] += a * other.at(l, j);
                    }
                }
            }
        }
        out
    }

    /// Rows as columns.
    pub fn transposed(&self) -> Self {
        let mut out = Self::zero(self.k);
        for i in 0..self.k {
            for j in 0..self.k {
                out.values[j * self.k + i] = self.at(i, j);
            }
        }
        out
    }

    /// The lower triangle L with L Lᵀ = self; none where the matrix is not positive definite (columns that depend on each other).
    pub fn cholesky(&self) -> Option<Self> {
        let mut l = Self::zero(self.k);
        for i in 0..self.k {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|m| l.at(i, m) * l.at(j, m)).sum();
                let rest = self.at(i, j) - sum;
                l.values[i * self.k + j] = if i == j {
                    if rest.is_nan() || rest <= self.at(i, i).abs() * 1e-11 {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / l.at(j, j)
                };
            }
        }
        Some(l)
    }

    /// The inverse of a symmetric positive definite matrix.
    pub fn inverse(&self) -> Option<Self> {
        let l = self.cholesky()?;
        let mut out = Self::zero(self.k);
        for column in 0..self.k {
            let mut x = vec![0.0; self.k];
            for i in column..self.k {
                let unit = if i == column { 1.0 } else { 0.0 };
                x[i] = (unit - (column..i).map(|m| l.at(i, m) * x[m]).sum::<f64>()) / l.at(i, i);
            }
            for i in (0..self.k).rev() {
                x[i] = (x[i] - (i + 1..self.k).map(|m| l.at(m, i) * x[m]).sum::<f64>()) / l.at(i, i);
            }
            for (i, v) in x.into_iter().enumerate() {
                out.values[i * self.k + column] = v;
            }
        }
        Some(out)
    }

    /// Eigenvalues and eigenvectors (as columns) of a symmetric matrix, by Jacobi's rotations.
    pub fn eigen(&self) -> (Vec<f64>, Self) {
        let k = self.k;
        let mut a = self.clone();
        let mut v = Self::zero(k);
        (0..k).for_each(|i| v.values[i * k + i] = 1.0);
        for _ in 0..60 {
            let off: f64 = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a.at(i, j).powi(2)).sum();
            let size: f64 = (0..k).map(|i| a.at(i, i).powi(2)).sum();
            if off <= size * 1e-30 {
                break;
            }
            for p in 0..k {
                for q in p + 1..k {
                    a.rotate(&mut v, p, q);
                }
            }
        }
        ((0..k).map(|i| a.at(i, i)).collect(), v)
    }

    /// One rotation that makes the value at (p, q) zero.
    fn rotate(&mut self, v: &mut Self, p: usize, q: usize) {
        let k = self.k;
        let apq = self.at(p, q);
        if apq == 0.0 {
            return;
        }
        let theta = (self.at(q, q) - self.at(p, p)) / (2.0 * apq);
        let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
        let t = if theta == 0.0 { 1.0 } else { t };
        let c = 1.0 / (t * t + 1.0).sqrt();
        let s = t * c;
        for m in 0..k {
            let (x, y) = (self.at(m, p), self.at(m, q));
            self.values[m * k + p] = c * x - s * y;
            self.values[m * k + q] = s * x + c * y;
        }
        for m in 0..k {
            let (x, y) = (self.at(p, m), self.at(q, m));
            self.values[p * k + m] = c * x - s * y;
            self.values[q * k + m] = s * x + c * y;
            let (x, y) = (v.at(m, p), v.at(m, q));
            v.values[m * k + p] = c * x - s * y;
            v.values[m * k + q] = s * x + c * y;
        }
    }
}

/// The inner product.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Square {
        Square { k: 3, values: vec![4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0] }
    }

    #[test]
    fn an_inverse_undoes_its_matrix() {
        let m = sample();
        let one = m.product(&m.inverse().unwrap());
        for i in 0..3 {
            for j in 0..3 {
                assert!((one.at(i, j) - f64::from(i == j)).abs() < 1e-14);
            }
        }
        assert!(Square { k: 2, values: vec![1.0, 2.0, 2.0, 4.0] }.inverse().is_none(), "dependent columns");
    }

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        let m = sample();
        let (values, vectors) = m.eigen();
        let mut rebuilt = Square::zero(3);
        for (n, value) in values.iter().enumerate() {
            let column: Vec<f64> = (0..3).map(|i| vectors.at(i, n)).collect();
            rebuilt.add_outer(&column, *value);
        }
        assert!(m.values.iter().zip(&rebuilt.values).all(|(a, b)| (a - b).abs() < 1e-13));
    }
}
