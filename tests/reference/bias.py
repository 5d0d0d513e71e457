"""Writes bias.json: what statsmodels, scipy and a plain implementation in numpy say about data drawn here.

pip install statsmodels==0.15.0 scipy==1.17.1 numpy==2.2.6; python bias.py > bias.json
"""

import json

import numpy as np
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

rng = np.random.default_rng(20261127)
G, N = 15, 420
cluster = rng.choice(G, N, p=np.r_[[0.2, 0.15], np.full(G - 2, 0.65 / (G - 2))])
segment = rng.random(N) < 0.25 + 0.4 * (cluster % 3) / 2
level = rng.integers(0, 3, N)
temper = rng.normal(0, 0.6, G)
eta = -0.8 + 0.5 * segment + 0.4 * (level == 1) - 0.3 * (level == 2) + temper[cluster]
event = rng.random(N) < 1 / (1 + np.exp(-eta))
number = np.round(2 + 0.7 * segment + 0.3 * level + temper[cluster] + rng.normal(0, 1, N), 1)
X = np.column_stack([np.ones(N), segment, level == 1, level == 2]).astype(float)


def cr2(X, w, residual, cluster):
    """The sandwich with each cluster's residuals scaled by (I - H)^(-1/2), n × n and plainly."""
    B = np.linalg.inv(X.T @ (w[:, None] * X))
    meat = np.zeros((X.shape[1],) * 2)
    for g in range(G):
        i = cluster == g
        Xg = np.sqrt(w[i])[:, None] * X[i]
        values, vectors = np.linalg.eigh(np.eye(i.sum()) - Xg @ B @ Xg.T)
        scale = vectors @ np.diag(values ** -0.5) @ vectors.T
        s = Xg.T @ scale @ (residual[i] / np.sqrt(w[i]))
        meat += np.outer(s, s)
    return np.sqrt(np.diag(B @ meat @ B))


def firth(X, y, weight):
    beta = np.zeros(X.shape[1])
    for _ in range(500):
        mu = 1 / (1 + np.exp(-X @ beta))
        w = weight * mu * (1 - mu)
        B = np.linalg.inv(X.T @ (w[:, None] * X))
        h = w * np.einsum("ij,jk,ik->i", X, B, X)
        step = B @ (X.T @ (y - weight * mu + h * (0.5 - mu)))
        beta = beta + step * min(1, 1 / np.abs(step).max())
    return beta


logit = sm.Logit(event.astype(float), X).fit(disp=0, tol=1e-14)
mu = logit.predict()
groups = {"groups": cluster, "use_correction": True}
ols = sm.OLS(number, X)
tables = []
for l in range(3):
    cell = lambda s, e: int(np.sum((level == l) & (segment == s) & (event == e)))
    tables.append([[cell(True, True), cell(True, False)], [cell(False, True), cell(False, False)]])
strat = StratifiedTable([np.array(t, dtype=float) for t in tables])
# Some level has no event in the segment: the likelihood has no top.
sparse_x = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]], dtype=float)
sparse_n, sparse_y = np.array([30, 20, 25, 15.0]), np.array([6, 0, 3, 0.0])


def van_elteren():
    gap = variance = 0.0
    for l in range(3):
        a, b = number[(level == l) & segment], number[(level == l) & ~segment]
        ranks = stats.rankdata(np.r_[a, b])
        n, m = len(ranks), len(a)
        gap += (ranks[:m].sum() - m * (n + 1) / 2) / (n + 1)
        variance += m * (n - m) / (n * (n - 1)) * np.sum((ranks - (n + 1) / 2) ** 2) / (n + 1) ** 2
    return gap / np.sqrt(variance)


print(json.dumps({
    "cluster": cluster.tolist(), "segment": segment.astype(int).tolist(), "level": level.tolist(),
    "event": event.astype(int).tolist(), "number": number.tolist(), "clusters": G,
    "logit": {
        "beta": logit.params.tolist(),
        "cr1": sm.Logit(event.astype(float), X).fit(disp=0, tol=1e-14, cov_type="cluster", cov_kwds={**groups, "df_correction": True}).bse.tolist(),
        "cr2": cr2(X, mu * (1 - mu), event - mu, cluster).tolist(),
    },
    "ols": {
        "beta": ols.fit().params.tolist(),
        "cr1": ols.fit(cov_type="cluster", cov_kwds=groups).bse.tolist(),
        "cr2": cr2(X, np.ones(N), number - ols.fit().predict(), cluster).tolist(),
        "hc1": ols.fit(cov_type="HC1").bse.tolist(),
    },
    "firth": {"x": sparse_x.tolist(), "n": sparse_n.tolist(), "events": sparse_y.tolist(), "beta": firth(sparse_x, sparse_y, sparse_n).tolist()},
    "tables": tables,
    "mantel_haenszel": {
        "odds_ratio": strat.oddsratio_pooled, "ci": list(strat.oddsratio_pooled_confint()),
        "statistic": strat.test_null_odds(correction=False).statistic, "p": strat.test_null_odds(correction=False).pvalue,
        "statistic_corrected": strat.test_null_odds(correction=True).statistic, "p_corrected": strat.test_null_odds(correction=True).pvalue,
    },
    "breslow_day": {"statistic": strat.test_equal_odds(adjust=False).statistic, "tarone": strat.test_equal_odds(adjust=True).statistic},
    "fisher": [[t, stats.fisher_exact(t).pvalue] for t in ([[3, 1], [1, 3]], [[0, 12], [5, 9]], [[20, 14], [10, 24]], [[1, 9], [11, 3]])],
    "van_elteren": van_elteren(),
}, indent=None))
