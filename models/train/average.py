"""The weighted mean of two trainings that started from the same weights: `python average.py --run A --with B --share 0.6 --out DIR` (B's share).

Between an old model and one that went on from it the mean keeps most of what each is better at (Wortsman et al. 2022). Writes OUT/best.pt.
"""

import argparse
from pathlib import Path

import torch


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--run", required=True)
    a.add_argument("--with", dest="other", required=True)
    a.add_argument("--share", type=float, required=True)
    a.add_argument("--out", required=True)
    args = a.parse_args()
    one, other = (torch.load(Path(p) / "best.pt", weights_only=True) for p in (args.run, args.other))
    mean = {k: torch.lerp(one[k], v, args.share) if v.is_floating_point() else v for k, v in other.items()}
    Path(args.out).mkdir(parents=True, exist_ok=True)
    torch.save(mean, Path(args.out) / "best.pt")


if __name__ == "__main__":
    main()
