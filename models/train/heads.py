"""Fits the heads of a trained teacher on its hidden states, and writes its judgement of the same rows for train.py --soft.

One epoch is enough for a large encoder, but not for the heads of rare labels: the hidden states are computed once, and the heads alone are trained on them for some epochs more. Rows: real text, turns
without labels that `--soft` has, and text written for this project, two thirds of it with a label that is not of the commonest.
"""

import argparse
import json
import math
import random
from pathlib import Path

import torch

import data
from encoder import Classifier, Inputs
from labels import CUES, INDEX, LABELS
from train import loss_of, probabilities, weights

COMMON = {"problem", "frustration", "gratitude", "apology", "denial", "commitment", "ask-info", "abuse", "blame"}


def rows_of(path, soft, pool, written):
    rng = random.Random(0)
    train, _ = data.split(data.load(path))
    real = [r for r in train if r["source"] not in data.WRITTEN]
    twice = [r for r in train if r["source"] in data.WRITTEN and not r["once"]]
    rich = [r for r in twice if set(r["labels"] or ()) - COMMON]
    poor = [r for r in twice if not set(r["labels"] or ()) - COMMON]
    unread = [r for r in data.load_unlabelled(path, 0, 14_000, 3_000) if r["id"] in soft]
    some = lambda rows, n: rng.sample(rows, min(n, len(rows)))
    return real + some(unread, pool) + some(rich, written * 2 // 3) + some(poor, written // 3), weights(train)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "base", "run", "soft", "out"):
        a.add_argument(f"--{name}", required=True)
    a.add_argument("--without", default="", help="labels on which the teacher is not to be heard, separated by commas; of cues it never is")
    a.add_argument("--epochs", type=int, default=6)
    a.add_argument("--pool", type=int, default=4_500)
    a.add_argument("--written", type=int, default=6_000)
    args = a.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    soft = data.read_soft([args.soft])
    rows, pos_weight = rows_of(args.data, soft, args.pool, args.written)
    model, inputs = Classifier(args.base), Inputs(args.base)
    model.load_state_dict(torch.load(Path(args.run) / "best.pt", weights_only=True))
    model.eval()
    encoded = inputs.rows(rows)
    order = sorted(range(len(rows)), key=lambda i: len(encoded[i][0]))
    kept = []
    with torch.inference_mode():
        for k in range(0, len(order), 64):
            part = order[k : k + 64]
            ids, types, mask, own = inputs.batch([encoded[i] for i in part])
            width = int(own.sum(1).max())
            kept.append((part, model.encode(ids, types, mask)[:, :width].bfloat16().clone(), own[:, :width]))
            if k % 6400 == 0:
                print(f"{k}/{len(order)}", flush=True)
    opt = torch.optim.AdamW([model.query, model.weight, model.bias], lr=2e-3, weight_decay=0.01)
    steps = args.epochs * len(kept)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1, (s + 1) / 100) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * s / steps))))
    rng = random.Random(0)
    model.dropout.train()
    for epoch in range(args.epochs):
        rng.shuffle(kept)
        total = 0.0
        for part, hidden, own in kept:
            of = [rows[i] for i in part]
            loss = loss_of(model.heads(model.dropout(hidden.float()), own), of, pos_weight, soft, [])
            opt.zero_grad(); loss.backward(); opt.step(); sched.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(kept):.4f}", flush=True)
    silent = [INDEX[label] for label in args.without.split(",") if label] + list(range(len(LABELS) + 3, len(LABELS) + 3 + len(CUES)))
    with torch.inference_mode(), open(args.out, "w", encoding="utf-8") as f:
        for part, hidden, own in kept:
            said = probabilities(model.heads(hidden.float(), own))
            said[:, silent] = math.nan
            for i, p in zip(part, said.tolist()):
                f.write(json.dumps({"id": rows[i]["id"], "p": [round(x, 4) for x in p]}) + "\n")


if __name__ == "__main__":
    main()
