"""A trained model's probabilities on the training rows and on unlabelled text, for another to learn from: `python teach.py --run RUN --base DIR --data DIR --out FILE`.
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
    a.add_argument("--data", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--seed", type=int, default=0)
    args = a.parse_args()
    torch.set_num_threads(2)
    inputs, model = Inputs(args.base), Classifier(args.base)
    model.load_state_dict(torch.load(Path(args.run) / "best.pt", weights_only=True))
    train, _ = data.split(data.load(args.data))
    # It may be stopped at any time: real text first, then what has no labels, and last what was written for a label.
    written = lambda r: r["source"] in ("threads", "conversations", "authored")
    rows = [r for r in train if not written(r)] + data.load_unlabelled(args.data, args.seed)[::-1] + [r for r in train if written(r)]
    done = set()
    if Path(args.out).exists():
        done = {r["id"] for r in data.read_jsonl(args.out)}
    rows = [r for r in rows if r["id"] not in done]
    with open(args.out, "a", encoding="utf-8") as f:
        for k in range(0, len(rows), 2048):
            part = rows[k : k + 2048]
            for r, p in zip(part, predict(model, inputs, part)):
                f.write(json.dumps({"id": r["id"], "p": [round(x, 4) for x in p]}) + "\n")
            f.flush()
            print(f"{min(k + 2048, len(rows))}/{len(rows)}", flush=True)


if __name__ == "__main__":
    main()
