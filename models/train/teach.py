"""Trained models' probabilities on the training rows and on unlabelled text, for another to learn from; their mean, where there are two.
"""

import argparse
import json
from pathlib import Path

import torch

import data
from encoder import Classifier, Inputs
from train import predict


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--run", required=True, help="folder that train.py wrote")
    a.add_argument("--base", required=True, help="folder of the encoder that it started from")
    a.add_argument("--with", dest="second", help="a second run, whose probabilities are averaged in")
    a.add_argument("--with-base", dest="second_base")
    a.add_argument("--data", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--pool", type=int, default=9_000, help="as for train.py")
    a.add_argument("--posts", type=int, default=4_000, help="as for train.py")
    a.add_argument("--seed", type=int, default=0)
    args = a.parse_args()
    torch.set_num_threads(2)
    pairs = [(args.run, args.base)] + ([(args.second, args.second_base)] if args.second else [])
    judges = []
    for run, base in pairs:
        model = Classifier(base)
        model.load_state_dict(torch.load(Path(run) / "best.pt", weights_only=True))
        judges.append((model, Inputs(base)))
    train, _ = data.split(data.load(args.data))
    # It may be stopped at any time: real text first, then what has no labels, and last what was written for a label.
    written = lambda r: r["source"] in data.WRITTEN
    rows = [r for r in train if not written(r)] + data.load_unlabelled(args.data, args.seed, args.pool, args.posts)[::-1] + [r for r in train if written(r)]
    done = set()
    if Path(args.out).exists():
        done = {r["id"] for r in data.read_jsonl(args.out)}
    rows = [r for r in rows if r["id"] not in done]
    with open(args.out, "a", encoding="utf-8") as f:
        for k in range(0, len(rows), 2048):
            part = rows[k : k + 2048]
            for r, *said in zip(part, *(predict(model, inputs, part) for model, inputs in judges)):
                p = [round(sum(x) / len(x), 4) for x in zip(*said)]
                f.write(json.dumps({"id": r["id"], "p": p}) + "\n")
            f.flush()
            print(f"{min(k + 2048, len(rows))}/{len(rows)}", flush=True)


if __name__ == "__main__":
    main()
