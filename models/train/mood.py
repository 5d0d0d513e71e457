"""How a customer's mood in the turns before and after bears on a turn: fitted on held-back conversations, for the program to shift its answers by (src/signals/mood.rs).

The features of a neighbouring turn are its logit of `frustration`, its log odds of neg and of pos against neu, and 1; what they shift is the logit of `frustration` and the
log odds of neg and pos.
"""

import math

import torch
import torch.nn.functional as F

from labels import INDEX, LABELS

FRUSTRATION, SENTIMENT = INDEX["frustration"], len(LABELS)
LEAST = 0.0025  # probabilities stay this far from 0 and 1


def logit(p):
    p = min(max(p, LEAST), 1 - LEAST)
    return math.log(p / (1 - p))


def odds(p):
    """Log odds of neg and of pos against neu."""
    neg, neu, pos = (math.log(max(x, LEAST)) for x in p[SENTIMENT : SENTIMENT + 3])
    return [neg - neu, pos - neu]


def mood(p):
    return [0.0] * 4 if p is None else [logit(p[FRUSTRATION]), *odds(p), 1.0]


def neighbours(rows, probs):
    """For each row the probabilities of the same customer's turn before and after, where the row stands in a conversation of ours."""
    turns = {}
    for k, r in enumerate(rows):
        if r["role"] == "customer" and r["id"] != r["group"]:
            turns.setdefault(r["group"], []).append((int(r["id"].rsplit(".", 1)[1]), k))
    out = {}
    for said in turns.values():
        order = [k for _, k in sorted(said)]
        for i, k in enumerate(order):
            out[k] = (probs[order[i - 1]] if i else None, probs[order[i + 1]] if i + 1 < len(order) else None)
    return out


def minimum(loss, params):
    opt = torch.optim.LBFGS(params, max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        opt.zero_grad()
        value = loss()
        value.backward()
        return value

    opt.step(closure)


def fit(rows, probs, ridge=3.0):
    """`before` and `after`: by feature of the neighbour, what it adds to frustration, neg and pos. The thresholds stay as they are: of the fit its own scale and level are left out."""
    near = neighbours(rows, probs)
    used = [k for k in near if "frustration" not in rows[k]["open"]]
    x = torch.tensor([mood(near[k][0]) + mood(near[k][1]) for k in used])
    angry, z = torch.tensor([float("frustration" in rows[k]["labels"]) for k in used]), torch.tensor([logit(probs[k][FRUSTRATION]) for k in used])
    feeling = torch.tensor([["neg", "neu", "pos"].index(rows[k]["sentiment"]) for k in used])
    base = torch.tensor([[o[0], 0.0, o[1]] for o in (odds(probs[k]) for k in used)])
    w, own = torch.zeros(8, requires_grad=True), torch.tensor([1.0, 0.0], requires_grad=True)
    minimum(lambda: F.binary_cross_entropy_with_logits(z * own[0] + own[1] + x @ w, angry, reduction="sum") + ridge * w.square().sum(), [w, own])
    v, scale, level = torch.zeros(8, 2, requires_grad=True), torch.ones(1, requires_grad=True), torch.zeros(3, requires_grad=True)
    shift = lambda: torch.stack([x @ v[:, 0], torch.zeros(len(x)), x @ v[:, 1]], 1)
    minimum(lambda: F.cross_entropy(base * scale + level + shift(), feeling, reduction="sum") + ridge * v.square().sum(), [v, scale, level])
    both = torch.cat([(w / own[0])[:, None], v / scale], 1).detach()
    return {name: [[round(y, 3) for y in row] for row in part.tolist()] for name, part in (("before", both[:4]), ("after", both[4:]))}


def shifted(rows, probs, weights):
    """The probabilities as the program shifts them."""
    out = [list(p) for p in probs]
    for k, (before, after) in neighbours(rows, probs).items():
        if before is None and after is None:
            continue
        by = [sum(f * w[j] for side, p in (("before", before), ("after", after)) for f, w in zip(mood(p), weights[side])) for j in range(3)]
        out[k][FRUSTRATION] = 1 / (1 + math.exp(-logit(probs[k][FRUSTRATION]) - by[0]))
        neg, pos = odds(probs[k])
        raised = [math.exp(neg + by[1]), 1.0, math.exp(pos + by[2])]
        out[k][SENTIMENT : SENTIMENT + 3] = [y / sum(raised) for y in raised]
    return out
