"""Per-label thresholds on held-back rows, and the table of what they give there."""

from labels import CUES, CUSTOMER, CUSTOMER_CUES, LABELS, SENTIMENTS

GRID = [x / 100 for x in range(20, 86, 5)]


def counts(rows, probs, i, t):
    tp = fp = fn = 0
    for r, p in zip(rows, probs):
        if (i < len(CUSTOMER)) != (r["role"] == "customer") or LABELS[i] in r["unknown"]:
            continue
        truth, said = LABELS[i] in r["labels"], p[i] >= t
        tp += truth and said
        fp += said and not truth
        fn += truth and not said
    return tp, fp, fn


def cue_counts(rows, probs, i, t):
    tp = fp = fn = 0
    for r, p in zip(rows, probs):
        if r["cues"] is None or (i < CUSTOMER_CUES) != (r["role"] == "customer"):
            continue
        truth, said = CUES[i] in r["cues"], p[len(LABELS) + 3 + i] >= t
        tp += truth and said
        fp += said and not truth
        fn += truth and not said
    return tp, fp, fn


def f1(tp, fp, fn):
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def choose(rows, probs):
    """The threshold with the best F1, drawn towards 0.4 (half of a usual F1, where the best one lies), so that a thin label is not
    fitted to noise."""
    out = {}
    for names, count in ((LABELS, counts), (CUES, cue_counts)):
        for i, name in enumerate(names):
            def score(t):
                tp, fp, fn = count(rows, probs, i, t)
                return (2 * tp) / (2 * tp + fp + fn + 1e-9) - 0.4 * abs(t - 0.4) / (1 + (tp + fn) / 20)
            out[name] = max(GRID, key=score)
    return out


def report(rows, probs, thresholds):
    lines, total = [], 0.0
    for i, name in enumerate(LABELS):
        c = counts(rows, probs, i, thresholds[name])
        total += f1(*c)
        lines.append(f"  {name:14} t {thresholds[name]:.2f}  n {c[0] + c[2]:4}  F1 {f1(*c):.3f}")
    for i, name in enumerate(CUES):
        c = cue_counts(rows, probs, i, thresholds[name])
        lines.append(f"  cue {name:10} t {thresholds[name]:.2f}  n {c[0] + c[2]:4}  F1 {f1(*c):.3f}")
    n, macro = len(LABELS), 0.0
    for k, s in enumerate(SENTIMENTS):
        said = [max(range(3), key=lambda j: p[n + j]) == k for p in probs]
        truth = [r["sentiment"] == s for r in rows]
        tp = sum(a and b for a, b in zip(said, truth))
        macro += f1(tp, sum(said) - tp, sum(truth) - tp) / 3
    return "\n".join(lines) + f"\n  held back: label macro F1 {total / n:.3f}, sentiment macro F1 {macro:.3f}"
