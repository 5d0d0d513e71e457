"""Writes the model folder that the program ships: `python export.py --run RUN --base BASE --out ../minilm-l6`.

model.safetensors (16-bit), tokenizer.json, model.json (labels, thresholds, hashes), reference.json (logits of a few
turns, from the 16-bit weights, for the test that the Rust runtime computes the same).
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from encoder import Classifier, Inputs
from labels import CUES, LABELS, SENTIMENTS
from text import EMOJI

# Written for this test: short and long, odd characters, every role, with and without a turn before.
REFERENCE = [
    ("customer", "I was charged twice for the same month.", "", "agent"),
    ("agent", "I'm so sorry about that, Ana. I'm refunding it now and you'll see it by Friday.", "I was charged twice.", "customer"),
    ("agent", "nope, can't do that lol 😂👍🏽 ✈️ see https://example.org/a?b=1 🦔", "can i get the old price", "customer"),
    ("bot", "I'm sorry, but I didn't understand. Please choose: 1. **Billing** 2. **Delivery**", "give me a person", "customer"),
    ("customer", "THIRD time I'm asking!!! café closed, naïve reply — \u201cwe'll call\u201d", "Thanks for your patience.", "agent"),
    ("customer", "ok", "Is there anything else I can help you with?", "agent"),
    ("agent", "As per our terms the fee stands. " * 40, "please waive the fee " * 30, "customer"),
    ("customer", "日本語 and ￥5,000 and a_very_long_word" + "x" * 120, "", "agent"),
]


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--run", required=True)
    a.add_argument("--base", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--version", required=True)
    args = a.parse_args()
    run, base, out = Path(args.run), Path(args.base), Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    model = Classifier(base)
    model.fast = False
    state = torch.load(run / "best.pt", weights_only=True)
    state = {k: v.half() for k, v in state.items() if "position_ids" not in k}
    model.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
    model.eval()
    heads = {"query": "heads.query", "weight": "heads.weight", "bias": "heads.bias"}
    save_file({heads.get(k, k): v.contiguous() for k, v in state.items()}, out / "model.safetensors")
    tokenizer = json.loads((base / "tokenizer.json").read_text())
    tokenizer["padding"] = tokenizer["truncation"] = None
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")))
    sha = {n: hashlib.sha256((out / n).read_bytes()).hexdigest() for n in ("model.safetensors", "tokenizer.json")}
    info = {
        "name": "minilm-l6", "version": args.version, "layers": model.bert.config.num_hidden_layers, "labels": LABELS,
        "sentiments": SENTIMENTS, "cues": CUES, "emoji": EMOJI, "thresholds": json.loads((run / "thresholds.json").read_text()), "sha256": sha,
    }
    (out / "model.json").write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n")
    inputs = Inputs(base)
    rows = [{"role": r, "text": t, "prev": p, "prev_role": pr} for r, t, p, pr in REFERENCE]
    with torch.inference_mode():
        for row in rows:
            encoded = inputs.rows([row])
            row["ids"] = encoded[0][0]
            row["logits"] = [round(x, 5) for x in model(*inputs.batch(encoded))[0].tolist()]
    (out / "reference.json").write_text(json.dumps(rows, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
