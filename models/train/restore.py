"""A shipped model folder as runs that train.py can go on from: `python restore.py --model ../default --base MINILM --out DIR`.

Writes DIR/large/best.pt, DIR/small (the small network's base, as small.py writes it) and DIR/first/best.pt. The weights are those that are shipped, so they have lost what the
rounding took; the word vectors, which no training changes, and the positions that no turn reaches are the base's.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

from encoder import Classifier

HEADS = {"heads.query": "query", "heads.weight": "weight", "heads.bias": "bias"}
POSITIONS = "bert.embeddings.position_embeddings.weight"


def read(path, prefix):
    """The tensors under a prefix as floats, by the names that the network has for them."""
    out = {}
    with safe_open(path, "pt") as f:
        names = [n for n in f.keys() if n.startswith(prefix) and (prefix or not n.startswith("first.")) and not n.endswith("_scale")]
        for name in names:
            value = f.get_tensor(name).float()
            if f"{name}_scale" in f.keys():
                value = value * f.get_tensor(f"{name}_scale").float()[:, None]
            name = name.removeprefix(prefix)
            out[HEADS.get(name, name)] = value
    return out


def state(model, tensors):
    """The network's state with the shipped tensors in it."""
    out = model.state_dict()
    missing = [n for n in out if n not in tensors and "word_embeddings" not in n and "position_ids" not in n]
    assert not missing, missing
    for name, value in tensors.items():
        if name == POSITIONS:
            out[name][: len(value)] = value
        elif name in HEADS.values():
            assert out[name].shape[1:] == value.shape[1:], name
            out[name][: len(value)] = value  # the rest are cues that are new, and not to be taught to another before they are trained
        elif "word_embeddings" not in name:
            assert out[name].shape == value.shape, name
            out[name] = value
    return out


def main():
    a = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "base", "out"):
        a.add_argument(f"--{name}", required=True)
    args = a.parse_args()
    torch.manual_seed(0)  # for the heads of new cues
    model, base, out = Path(args.model), Path(args.base), Path(args.out)
    weights, first = model / "model.safetensors", json.loads((model / "model.json").read_text())["first"]
    for name in ("large", "first", "small"):
        (out / name).mkdir(parents=True, exist_ok=True)
    large = Classifier(base)
    torch.save(state(large, read(weights, "")), out / "large" / "best.pt")

    tensors = read(weights, "first.")
    small = Classifier(base)
    bert, config = small.bert, small.bert.config
    bert.encoder.layer = bert.encoder.layer[: first["layers"]]
    size = config.hidden_size // config.num_attention_heads
    layer = "bert.encoder.layer.{}.{}.weight"
    for i, part in enumerate(bert.encoder.layer):
        kept = len(tensors[layer.format(i, "attention.self.query")]) // size
        drop = list(range(kept, config.num_attention_heads))
        bert._prune_heads({i: drop})
        config.pruned_heads[i] = drop
        config.intermediate_size = len(tensors[layer.format(i, "intermediate.dense")])
        part.intermediate.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        part.output.dense = nn.Linear(config.intermediate_size, config.hidden_size)
    config.num_hidden_layers = first["layers"]
    if first.get("before") is not None:
        config.before = first["before"]
    bert.save_pretrained(out / "small")
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(base / name, out / "small" / name)
    torch.save(state(Classifier(out / "small"), tensors), out / "first" / "best.pt")


if __name__ == "__main__":
    main()
