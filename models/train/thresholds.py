"""Per-label thresholds on held-back rows, and the table of what they give there."""

from labels import CUES, CUSTOMER, CUSTOMER_CUES, LABELS, SENTIMENTS, USUAL_CUES

GRID = [x / 100 for x in range(20, 86, 5)]


def counts(rows, probs, i, t):
    tp = fp = fn = 0
    for r, p in zip(rows, probs):
        if r["labels"] is None or (i < len(CUSTOMER)) != (r["role"] == "customer") or LABELS[i] in r["open"]:
            continue
        truth, said = LABELS[i] in r["labels"], p[i] >= t
        tp += truth and said
        fp += said and not truth
        fn += truth and not said
    return tp, fp, fn


def cue_counts(rows, probs, i, t):
    tp = fp = fn = 0
    for r, p in zip(rows, probs):
        if CUES[i] not in r["cues"] or (CUES[i] in CUSTOMER_CUES) != (r["role"] == "customer"):
            continue
        # Of a cue that is the rule, what counts is where it is absent.
        truth, said = (x != (CUES[i] in USUAL_CUES) for x in (r["cues"][CUES[i]], p[len(LABELS) + 3 + i] >= t))
        tp += truth and said
        fp += said and not truth
        fn += truth and not said
    return tp, fp, fn


def f1(tp, fp, fn):
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def choose(rows, probs):
    """The threshold with the best F1 there and a step to either side, drawn towards 0.45 (half of a usual F1, where the best one lies, and some for the weight of rare
    labels), a thin label more. Near its top the curve is flat, and text from elsewhere has other base rates: a threshold goes far from 0.45 only for a gain that is clear.
    A cue decides more than a label does, so it is not taken below that, unless most turns have it and a finding is made where it is absent: of those the F1 is that of the absent."""
    out = {}
    for names, count, least in ((LABELS, counts, 0.0), (CUES, cue_counts, 0.45)):
        for i, name in enumerate(names):
            curve = [count(rows, probs, i, t) for t in [GRID[0] - 0.05, *GRID, GRID[-1] + 0.05]]
            draw = 0.1 + 2 / (10 + curve[0][0] + curve[0][2])
            best = max((k for k, t in enumerate(GRID) if t >= least or name in USUAL_CUES), key=lambda k: sum(f1(*c) for c in curve[k : k + 3]) / 3 - draw * abs(GRID[k] - 0.45))
            out[name] = GRID[best]
    return out


def macro(rows, probs, thresholds):
    """Macro F1 of the labels and of the sentiment."""
    labels = sum(f1(*counts(rows, probs, i, thresholds[name])) for i, name in enumerate(LABELS)) / len(LABELS)
    n, feeling = len(LABELS), 0.0
    read = [(r, p) for r, p in zip(rows, probs) if r["sentiment"]]
    for k, s in enumerate(SENTIMENTS):
        said, truth = [max(range(3), key=lambda j: p[n + j]) == k for _, p in read], [r["sentiment"] == s for r, _ in read]
        tp = sum(a and b for a, b in zip(said, truth))
        feeling += f1(tp, sum(said) - tp, sum(truth) - tp) / 3
    return labels, feeling


def report(rows, probs, thresholds):
    lines = []
    for i, name in enumerate(LABELS):
        c = counts(rows, probs, i, thresholds[name])
        lines.append(f"  {name:14} t {thresholds[name]:.2f}  n {c[0] + c[2]:4}  F1 {f1(*c):.3f}")
    for i, name in enumerate(CUES):
        c = cue_counts(rows, probs, i, thresholds[name])
        lines.append(f"  cue {name:10} t {thresholds[name]:.2f}  n {c[0] + c[2]:4}  F1 {f1(*c):.3f}")
    return "\n".join(lines) + "\n  held back: label macro F1 %.3f, sentiment macro F1 %.3f" % macro(rows, probs, thresholds)
