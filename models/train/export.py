"""Writes the model folder that the program ships:
`python export.py --run RUN --base BASE --first FIRST_RUN --first-base SMALL --data DATA --out ../default --version YYYY.MM.DD`.

model.safetensors (weights from -63 to 63 and word vectors from -127 to 127 with a 16-bit scale for each row, everything else 16-bit; the small network under
`first.`), tokenizer.json,
model.json (labels, thresholds, hashes), reference.json (logits of a few turns, computed with the same rounding,
for the test that the Rust runtime computes the same). Without --first the model has one network.
"""

import argparse
import hashlib
import json
import math
import unicodedata
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedTokenizerFast

import data
import mood
from encoder import Classifier, Inputs
from labels import CUES, LABELS, SENTIMENTS, side_mask
from text import EMOJI
from thresholds import choose, macro
from train import predict

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
# A turn that the small network gives one of these labels with a probability between these is read again by the large one, by itself, and the mean of both counts: rare
# labels that decide much.
AGAIN = {
    "denial": [0.2, 1.0], "alternative": [0.35, 0.75], "policy": [0.25, 0.8], "repeat": [0.25, 0.8], "wants-human": [0.25, 0.8], "timeframe": [0.25, 0.8], "compensation": [0.25, 0.8],
}
SEVEN_BITS = 63  # the largest weight and the largest value of a row; src/signals/embedded/int8.rs
POSITIONS = 192  # tokens of the longest turn with its context, and some
WORDS = "bert.embeddings.word_embeddings.weight"
PLACES = "bert.embeddings.position_embeddings.weight"


def rounded(weight, most):
    """Rows of whole numbers up to `most`, and their scales; each row cut off where the squared error is least."""
    top = weight.abs().amax(1, keepdim=True).clamp(min=1e-8)
    best, scale = None, None
    for share in (1.0, 0.97, 0.94, 0.91, 0.88, 0.84, 0.8, 0.75, 0.7):
        s = (top * share / most).half().float()
        error = ((weight / s).round().clamp(-most, most) * s - weight).square().sum(1, keepdim=True)
        scale = s if best is None else torch.where(error < best, s, scale)
        best = error if best is None else torch.minimum(error, best)
    return (weight / scale).round().clamp(-most, most).to(torch.int8), scale[:, 0].half()


class Rounded(nn.Module):
    """A linear layer as the program computes it: seven bits, rows rounded by their largest value. The sums are whole numbers below 2**24, so they are exact."""

    def __init__(self, linear):
        super().__init__()
        self.whole, self.scale = rounded(linear.weight.data, SEVEN_BITS)
        self.weight = self.whole.float()
        self.bias = linear.bias.data.half().float()

    def forward(self, x):
        top = x.abs().amax(-1, keepdim=True).clamp(min=1e-20)
        whole = (x * (SEVEN_BITS / top)).round()
        return (whole @ self.weight.T) * (top / SEVEN_BITS * self.scale.float()) + self.bias


def pruned(model, kept):
    words = model.bert.embeddings.word_embeddings
    words.weight.data = words.weight.data[kept]


def as_shipped(run, base):
    """The model with the numbers that are written, and how they are written."""
    model = Classifier(base)
    model.fast = False
    state = torch.load(Path(run) / "best.pt", weights_only=True)
    model.load_state_dict(state)
    model.eval()
    out = {}
    linears = {name: m for name, m in model.bert.encoder.named_modules() if isinstance(m, nn.Linear)}
    for name, linear in linears.items():
        parent = model.bert.encoder.get_submodule(name.rpartition(".")[0])
        new = Rounded(linear)
        setattr(parent, name.rpartition(".")[2], new)
        key = f"bert.encoder.{name}"
        out |= {f"{key}.weight": new.whole, f"{key}.weight_scale": new.scale, f"{key}.bias": new.bias.half()}
    words, scale = rounded(model.bert.embeddings.word_embeddings.weight.data, 127)
    model.bert.embeddings.word_embeddings.weight.data = words.float() * scale.float()[:, None]
    out |= {WORDS: words, f"{WORDS}_scale": scale}
    heads = {"query": "heads.query", "weight": "heads.weight", "bias": "heads.bias"}
    for name, p in model.named_parameters():
        if name != WORDS:
            p.data = p.data.half().float()
            value = p.data[:POSITIONS] if name == PLACES else p.data
            out[heads.get(name, name)] = value.half().contiguous()
    return model, out


def smaller(tokenizer, inputs, texts):
    """The tokenizer without the words that no training text has, and the ids that are kept: another word is written with pieces. Short pieces stay, so that
    every Latin word can be; placeholders and other scripts go."""
    foreign = lambda c: c.isalpha() and not unicodedata.name(c, "").startswith(("LATIN", "MODIFIER", "SUPERSCRIPT", "FEMININE", "MASCULINE"))
    texts, seen = list(texts), set()
    for k in range(0, len(texts), 4096):
        for ids in inputs.tokens(texts[k : k + 4096]):
            seen.update(ids)
    special = {t["id"] for t in tokenizer["added_tokens"]} | set(inputs.role.values())
    stays = lambda t, i: i in special or not (t.startswith("[unused") or any(map(foreign, t))) and (i in seen or len(t.removeprefix("##")) <= 3)
    kept = [i for t, i in sorted(tokenizer["model"]["vocab"].items(), key=lambda x: x[1]) if stays(t, i)]
    place = {old: new for new, old in enumerate(kept)}
    tokenizer["model"]["vocab"] = {t: place[i] for t, i in tokenizer["model"]["vocab"].items() if i in place}
    tokenizer["added_tokens"] = [{**t, "id": place[t["id"]]} for t in tokenizer["added_tokens"]]
    for t in tokenizer["post_processor"].get("special_tokens", {}).values():
        t["ids"] = [place[i] for i in t["ids"]]
    tokenizer["padding"] = tokenizer["truncation"] = None
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    names = {f"{n}_token": f"[{n.upper()}]" for n in ("cls", "sep", "pad", "unk", "mask")}
    return text, PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(text), **names), kept


def logit(p):
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


class Shift:
    """Moves the small network's logits so that one table of thresholds serves both networks."""

    def __init__(self, rows, small, thresholds):
        n, mine = len(LABELS), choose(rows, small)
        self.by = [logit(thresholds[x]) - logit(mine[x]) for x in LABELS + CUES]
        self.place = lambda i: i if i < n else i + 3

    def shifted(self, p):
        out = list(p)
        for i, by in enumerate(self.by):
            out[self.place(i)] = 1 / (1 + math.exp(-logit(p[self.place(i)]) - by))
        return out


def mean(a, b):
    """What two networks say together: the mean of their logits."""
    out = [1 / (1 + math.exp(-(logit(x) + logit(y)) / 2)) for x, y in zip(a, b)]
    n = len(LABELS)
    odds = [math.sqrt(x * y) for x, y in zip(a[n : n + 3], b[n : n + 3])]
    out[n : n + 3] = [x / sum(odds) for x in odds]
    return out


def main():
    a = argparse.ArgumentParser(description=__doc__)
    for name in ("run", "base", "data", "out", "version"):
        a.add_argument(f"--{name}", required=True)
    a.add_argument("--first", help="run of the small network")
    a.add_argument("--first-base", help="what small.py wrote")
    a.add_argument("--name", default="evenhand")
    args = a.parse_args()
    run, base, out = Path(args.run), Path(args.base), Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    _, held = data.split(data.load(args.data))
    model, tensors = as_shipped(run, base)
    inputs = Inputs(base)
    everything = data.load(args.data) + data.load_unlabelled(args.data, 0, 60_000, 12_000)
    tokenizer, tok, kept = smaller(json.loads((base / "tokenizer.json").read_text()), inputs, (r["text"] for r in everything))
    print(f"{len(kept)} tokens")
    inputs = Inputs(base, tok)
    pruned(model, kept)
    for name in (WORDS, f"{WORDS}_scale"):
        tensors[name] = tensors[name][kept].contiguous()
    probs = predict(model, inputs, held)
    thresholds = choose(held, probs)
    print("large: labels %.3f, sentiment %.3f" % macro(held, probs, thresholds), flush=True)
    info = {
        "name": args.name, "version": args.version, "layers": model.bert.config.num_hidden_layers, "labels": LABELS,
        "sentiments": SENTIMENTS, "cues": CUES, "emoji": EMOJI, "thresholds": thresholds,
    }
    small = None
    if args.first:
        small, more = as_shipped(args.first, args.first_base)
        pruned(small, kept)
        assert (more.pop(WORDS)[kept] == tensors[WORDS]).all(), "the small network has word vectors of its own"
        more.pop(f"{WORDS}_scale")
        said = predict(small, inputs, held)
        shift = Shift(held, said, thresholds)
        said = [shift.shifted(p) for p in said]
        n = len(LABELS)
        bias = more["heads.bias"].float() + torch.tensor(shift.by[:n] + [0.0] * 3 + shift.by[n:])
        more["heads.bias"] = bias.half()
        small.bias.data = bias.half().float()
        tensors |= {f"first.{k}": v for k, v in more.items()}
        apart = {} if small.before is None else {"before": small.before}
        info["first"] = {"layers": small.bert.config.num_hidden_layers, **apart, "again": AGAIN}
        print("small: labels %.3f, sentiment %.3f" % macro(held, said, thresholds))
        unsure = lambda label, p: label in AGAIN and AGAIN[label][0] <= p < AGAIN[label][1]
        again = [any(own and unsure(LABELS[i], p[i]) for i, own in enumerate(side_mask(r["role"]))) for r, p in zip(held, said)]
        alone = predict(model, inputs, [{**r, "prev": ""} for r in held])
        both = [mean(s, l) if left else s for left, s, l in zip(again, said, alone)]
        print("both: %.1f %% read again by the large, labels %.3f, sentiment %.3f" % (100 * sum(again) / len(again), *macro(held, both, thresholds)))
        print("both, all turns: labels %.3f, sentiment %.3f" % macro(held, [mean(s, l) for s, l in zip(said, probs)], thresholds))
        probs = both
    info["mood"] = mood.fit(held, probs)
    print("the same, a customer's mood carried on (each conversation by the others): labels %.3f, sentiment %.3f" % macro(held, mood.crossed(held, probs), thresholds))
    save_file(tensors, out / "model.safetensors")
    (out / "tokenizer.json").write_text(tokenizer)
    info["sha256"] = {n: hashlib.sha256((out / n).read_bytes()).hexdigest() for n in ("model.safetensors", "tokenizer.json")}
    (out / "model.json").write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n")
    rows = [{"role": r, "text": t, "prev": p, "prev_role": pr} for r, t, p, pr in REFERENCE]
    with torch.inference_mode():
        for row in rows:
            encoded = inputs.rows([row])
            row["ids"] = encoded[0][0]
            row["logits"] = [round(x, 5) for x in model(*inputs.batch(encoded))[0].tolist()]
            if small:
                row["first"] = [round(x, 5) for x in small(*inputs.batch(encoded))[0].tolist()]
    (out / "reference.json").write_text(json.dumps(rows, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
