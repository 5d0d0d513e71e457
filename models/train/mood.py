"""How a customer's mood in the turn before bears on a turn: fitted on held-back conversations, for the program to shift its answers by (src/signals/mood.rs).

The features of the turn before are its logit of `frustration` and its log odds of neg and of pos against neu; what they shift are the same three of the turn.
"""

import hashlib
import math

import torch
import torch.nn.functional as F

from labels import INDEX, LABELS, SENTIMENTS

FRUSTRATION, SENTIMENT = INDEX["frustration"], len(LABELS)
LEAST = 0.0025  # probabilities count as at least this far from 0 and 1
FOLDS = 5


def logit(p):
    p = min(max(p, LEAST), 1 - LEAST)
    return math.log(p / (1 - p))


def odds(p):
    """Log odds of neg and of pos against neu."""
    neg, neu, pos = (math.log(max(x, LEAST)) for x in p[SENTIMENT : SENTIMENT + 3])
    return [neg - neu, pos - neu]


def shown(p):
    return [logit(p[FRUSTRATION]), *odds(p)]


def before(rows):
    """For each row of a conversation of ours the place of the same customer's turn before, where there is one."""
    turns = {}
    for k, r in enumerate(rows):
        if r["role"] == "customer" and r["id"] != r["group"]:
            turns.setdefault(r["group"], []).append((int(r["id"].rsplit(".", 1)[1]), k))
    return {k: b for said in turns.values() for (_, b), (_, k) in zip(sorted(said), sorted(said)[1:])}


def minimum(loss, params):
    opt = torch.optim.LBFGS(params, max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        value = loss()
        value.backward()
        return value

    opt.step(closure)


def fit(rows, probs, ridge=3.0):
    """By feature of the turn before, what it adds to frustration, neg and pos. Thresholds stay as they are: the scale and the level that the fit finds for the turn's own
    answer are left out."""
    used = {k: b for k, b in before(rows).items() if "frustration" not in rows[k]["open"]}
    x = torch.tensor([shown(probs[b]) for b in used.values()])
    angry, z = torch.tensor([float("frustration" in rows[k]["labels"]) for k in used]), torch.tensor([logit(probs[k][FRUSTRATION]) for k in used])
    feeling = torch.tensor([SENTIMENTS.index(rows[k]["sentiment"]) for k in used])
    base = torch.tensor([[neg, 0.0, pos] for neg, pos in (odds(probs[k]) for k in used)])
    w, own = torch.zeros(3, requires_grad=True), torch.tensor([1.0, 0.0], requires_grad=True)
    minimum(lambda: F.binary_cross_entropy_with_logits(z * own[0] + own[1] + x @ w, angry, reduction="sum") + ridge * w.square().sum(), [w, own])
    v, scale, level = torch.zeros(3, 2, requires_grad=True), torch.ones(1, requires_grad=True), torch.zeros(3, requires_grad=True)
    shift = lambda: torch.stack([x @ v[:, 0], torch.zeros(len(x)), x @ v[:, 1]], 1)
    minimum(lambda: F.cross_entropy(base * scale + level + shift(), feeling, reduction="sum") + ridge * v.square().sum(), [v, scale, level])
    assert own[0] > 0.1 and scale > 0.1, "the fit has turned the classifier's own answer around"
    weights = torch.cat([(w / own[0])[:, None], v / scale], 1).detach()
    return [[round(y, 3) for y in row] for row in weights.tolist()]


def shifted(rows, probs, weights):
    """The probabilities as the program shifts them."""
    out = [list(p) for p in probs]
    for k, b in before(rows).items():
        by = [sum(f * row[j] for f, row in zip(shown(probs[b]), weights)) for j in range(3)]
        out[k][FRUSTRATION] = 1 / (1 + math.exp(-logit(probs[k][FRUSTRATION]) - by[0]))
        neg, pos = odds(probs[k])
        raised = [math.exp(neg + by[1]), 1.0, math.exp(pos + by[2])]
        out[k][SENTIMENT : SENTIMENT + 3] = [y / sum(raised) for y in raised]
    return out


def crossed(rows, probs):
    """The same, each conversation by weights that were fitted without it: what may be expected elsewhere."""
    fold = [hashlib.sha256(r["group"].encode()).digest()[8] % FOLDS for r in rows]
    out = [None] * len(rows)
    for f in range(FOLDS):
        weights = fit(*zip(*((r, p) for r, p, g in zip(rows, probs, fold) if g != f)))
        part = [k for k, g in enumerate(fold) if g == f]
        for k, p in zip(part, shifted([rows[k] for k in part], [probs[k] for k in part], weights)):
            out[k] = p
    return out
