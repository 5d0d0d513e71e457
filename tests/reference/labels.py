"""Writes labels.json: what statsmodels, scipy and a plain implementation in numpy say about a labelled sample drawn here.

pip install statsmodels==0.15.0 scipy==1.17.1 numpy==2.2.6; python labels.py > labels.json

Linearised values are derivatives of an estimate by the units' weights, taken here by complex steps and not by formula.
"""

import json

import numpy as np
from scipy import stats
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(20261128)
n, N = 90, 1400
stratum = rng.integers(0, 4, n)
stratum[:2] = 4, 5  # two strata with one unit each
pi = np.round(rng.uniform(0.02, 0.3, n), 4)
pi[[10, 11, 12]] = 1.0
inside = (rng.random(n) < 0.8).astype(float)
a = inside * (rng.random(n) < 0.8)
y = a * (rng.random(n) < 0.4)
y[5:9] = 0.5 * a[5:9]  # two reviewers who differ
g = inside * np.where(rng.random(n) < 0.9, a > 0, rng.random(n) < 0.5)
f = g * np.where(rng.random(n) < 0.8, y > 0, rng.random(n) < 0.1)
F, G, M = 281.0, 905.0, 1100.0
w = 1 / pi


def linear(estimate):
    """The derivative by each weight."""
    h, out = 1e-30, []
    for i in range(n):
        moved = w.astype(complex)
        moved[i] += 1j * h
        out.append(estimate(moved).imag / h)
    return np.array(out)


def covariance(x, z):
    chance = pi < 1
    total = 0.0
    mean = lambda v, m: np.sum((1 - pi[m]) * v[m] * w[m]) / np.sum(1 - pi[m])
    for s in np.unique(stratum[chance]):
        m = chance & (stratum == s)
        k = m.sum()
        centre, factor = (m, k / (k - 1)) if k > 1 else (chance, 1.0)
        total += factor * np.sum((1 - pi[m]) * (x[m] * w[m] - mean(x, centre)) * (z[m] * w[m] - mean(z, centre)))
    return total


def error(estimate):
    z = linear(estimate)
    return np.sqrt(covariance(z, z))


def ratio(top, bottom):
    return lambda w: np.sum(w * top) / np.sum(w * bottom)


def powered(y, a, f, g, F, G):
    start = ratio(y, a)(w)
    people, program = y - start * a, f - start * g
    lam = min(1.0, max(0.0, covariance(people, program) / covariance(program, program)))
    return lam, lambda w: (np.sum(w * (y - lam * f)) + lam * F) / (np.sum(w * (a - lam * g)) + lam * G)


def corrected(people, program, total):
    def estimate(w):
        se = np.sum(w * people * program) / np.sum(w * people)
        sp = np.sum(w * (inside - people) * (inside - program)) / np.sum(w * (inside - people))
        return (total / M + sp - 1) / (se + sp - 1)
    return estimate


def both(e):
    return {"value": float(np.real(e(w))), "error": float(error(e))}


share = ratio(y, a)
chance = pi < 1
freedom = int(chance.sum() - len(np.unique(stratum[chance])))
t = stats.t.ppf(0.975, freedom)
p, v = share(w), error(share) ** 2
cases = p * (1 - p) / v
lam, ppi = powered(y, a, f, g, F, G)
lam_all, ppi_all = powered(y, inside, f, inside, F, M)
so, applies = corrected(y, f, F), corrected(a, g, G)

raters = rng.integers(0, 3, 40)
second = np.where(rng.random(40) < 0.7, raters, rng.integers(0, 3, 40))
third = np.where(rng.random(40) < 0.6, raters, rng.integers(0, 3, 40))
table = np.zeros((3, 3), dtype=int)
np.add.at(table, (raters, second), 1)
kappa = cohens_kappa(table)
counts = aggregate_raters(np.column_stack([raters, second, third]), 3)[0]

print(json.dumps({
    "stratum": stratum.tolist(), "pi": pi.tolist(), "inside": inside.tolist(), "y": y.tolist(), "a": a.tolist(), "f": f.tolist(), "g": g.tolist(),
    "F": F, "G": G, "M": M, "freedom": freedom,
    "mean": both(lambda w: np.sum(w * y) / M),
    "ratio": {**both(share), "ci": proportion_confint(p * cases, cases, 2 * stats.norm.sf(t), "wilson")},
    "powered": {**both(ppi), "lambda": lam}, "powered_all": {**both(ppi_all), "lambda": lam_all},
    "corrected": both(lambda w: so(w) / applies(w)), "corrected_all": both(so),
    "sensitivity": both(ratio(y * f, y)), "specificity": both(ratio((inside - y) * (inside - f), inside - y)),
    "precision": both(ratio(y * f, f)),
    "kappa": {"table": table.ravel().tolist(), "kappa": kappa.kappa, "error": kappa.std_kappa, "ci": [kappa.kappa_low, kappa.kappa_upp]},
    "fleiss": {"counts": counts.tolist(), "kappa": fleiss_kappa(counts)},
}))
