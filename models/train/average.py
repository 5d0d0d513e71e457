"""The mean of the weights of several runs from the same start: `python average.py --out DIR RUN RUN ...`. Writes DIR/best.pt."""

import argparse
from pathlib import Path

import torch


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("runs", nargs="+", help="folders that train.py wrote, or their best.pt")
    a.add_argument("--out", required=True)
    args = a.parse_args()
    paths = [Path(r) for r in args.runs]
    weights = [torch.load(p / "best.pt" if p.is_dir() else p, weights_only=True) for p in paths]
    first = weights[0]
    # What no run has changed stays to the bit: both networks share one table of word vectors.
    mean = {k: v if all((w[k] == v).all() for w in weights) else sum(w[k] for w in weights) / len(weights) for k, v in first.items()}
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(mean, out / "best.pt")


if __name__ == "__main__":
    main()
