"""Before the fine-tuning: the encoder learns emotions and sentiment from public sets (models/README.md names them).

Their labels are not the rulebook's, so their heads are thrown away afterwards.
"""

import csv
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

EMOTIONS = 28


def rows(extra):
    """(text, emotion ids or None, sentiment −1…1 or None)"""
    extra = Path(extra)
    out = []
    for name in ("train.tsv", "dev.tsv"):
        with open(extra / "goemotions" / name, encoding="utf-8") as f:
            for text, ids, _ in csv.reader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
                out.append((text, [int(i) for i in ids.split(",")], None))
    for name in ("tweets_GroundTruth.txt", "amazonReviewSnippets_GroundTruth.txt"):
        with open(extra / "vader" / name, encoding="utf-8", errors="replace") as f:
            for line in f:
                parts = line.rstrip("\n").split("\t")
                if len(parts) >= 3:
                    out.append((parts[2], None, float(parts[1]) / 4))
    return out


def warm_up(model, inputs, extra, seed, limit=None, epochs=1, batch=64, lr=1e-4):
    """`limit`: how many of the emotion rows are used; all by default."""
    rng = random.Random(seed)
    data = rows(extra)
    if limit is not None:
        emotions = [r for r in data if r[1] is not None]
        data = rng.sample(emotions, limit) + [r for r in data if r[1] is None]
    width = model.bert.config.hidden_size
    emotion, feeling = nn.Linear(width, EMOTIONS), nn.Linear(width, 1)
    params = [p for p in model.bert.parameters() if p.requires_grad]
    opt = torch.optim.AdamW([{"params": params, "lr": lr}, {"params": [*emotion.parameters(), *feeling.parameters()], "lr": lr * 10}])
    start, model_steps = time.time(), epochs * len(data) // batch
    done = 0
    model.train()
    for _ in range(epochs):
        encoded = inputs.rows([{"role": "customer", "text": t, "prev": "", "prev_role": "agent"} for t, _, _ in data])
        order = sorted(range(len(data)), key=lambda i: len(encoded[i][0]) + rng.random() * 6)
        groups = [order[i : i + batch] for i in range(0, len(order), batch)]
        rng.shuffle(groups)
        for group in groups:
            ids, types, mask, own = inputs.batch([encoded[i] for i in group])
            hidden = model.encode(ids, types, mask)
            pooled = (hidden * own[..., None]).sum(1) / own.sum(1, keepdim=True)
            e = [k for k, i in enumerate(group) if data[i][1] is not None]
            s = [k for k, i in enumerate(group) if data[i][2] is not None]
            loss = 0.0
            if e:
                y = torch.zeros(len(e), EMOTIONS)
                for r, k in enumerate(e):
                    y[r, data[group[k]][1]] = 1
                loss = loss + F.binary_cross_entropy_with_logits(emotion(pooled[e]), y) * 10
            if s:
                y = torch.tensor([data[group[k]][2] for k in s])
                loss = loss + F.mse_loss(torch.tanh(feeling(pooled[s])[:, 0]), y) * 4 * len(s) / len(group)
            for g in opt.param_groups:
                g["lr"] = g.setdefault("top", g["lr"]) * min(1, (done + 1) / (0.1 * model_steps)) * max(0.05, 1 - done / model_steps)
            opt.zero_grad(); loss.backward()
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            opt.step()
            done += 1
            if done % 200 == 0:
                print(f"warm-up {done}/{model_steps} loss {loss.item():.3f} {time.time() - start:.0f}s", flush=True)
