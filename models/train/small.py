"""A small encoder cut out of the trained one: `python small.py --data DATA --base MINILM --run RUN --soft SOFT --out DIR`.

Its lowest layers, and in them the attention heads and inner units that matter most. First the lowest layers learn for a while to do without
the others; then what each head and unit adds to the loss is estimated (first-order Taylor: Michel et al. 2019, Molchanov et al. 2019) and the least are left out.
Writes DIR as a base for train.py, and DIR/init.pt for its --init. Word vectors stay those of the base, so that both networks share one table.
"""

import argparse
import random
import shutil
from pathlib import Path

import torch
from torch import nn

import data
from encoder import Classifier, Inputs
from train import batches, loss_of, weights


def cut(linear, keep, dim):
    """The layer with only these outputs (dim 0) or inputs (dim 1)."""
    out = nn.Linear(linear.in_features if dim == 0 else len(keep), len(keep) if dim == 0 else linear.out_features)
    out.weight.data = linear.weight.data.index_select(dim, keep).clone()
    out.bias.data = linear.bias.data[keep].clone() if dim == 0 else linear.bias.data.clone()
    return out


def main():
    a = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "base", "run", "soft", "out"):
        a.add_argument(f"--{name}", required=True)
    a.add_argument("--layers", type=int, default=3)
    a.add_argument("--heads", type=int, default=8)
    a.add_argument("--inner", type=int, default=512)
    a.add_argument("--before", type=int, default=1, help="layer in which a turn sees the one before, which is read apart until then (encoder.py)")
    a.add_argument("--steps", type=int, default=500)
    a.add_argument("--seed", type=int, default=0)
    a.add_argument("--threads", type=int, default=2)
    args = a.parse_args()
    if not 0 <= args.before < args.layers:
        a.error("--before: one of the small network's layers, from 0")
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    inputs, model = Inputs(args.base), Classifier(args.base)
    model.load_state_dict(torch.load(Path(args.run) / "best.pt", weights_only=True))
    model.bert.encoder.layer = model.bert.encoder.layer[: args.layers]
    model.freeze(0)
    rows, _ = data.split(data.load(args.data))
    soft = data.read_soft([args.soft])
    pos_weight = weights(rows)
    encoded = inputs.rows(rows)
    groups = batches(rows, encoded, 32, random.Random(args.seed))
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(params, lr=1e-4, weight_decay=0.01)
    loss = lambda part: loss_of(model(*inputs.batch([encoded[i] for i in part])), [rows[i] for i in part], pos_weight, soft, ())
    model.train()
    for k, part in enumerate(groups[: args.steps]):
        value = loss(part)
        opt.zero_grad(); value.backward(); opt.step()
        if k % 100 == 99:
            print(f"{k + 1}/{args.steps} loss {value.item():.3f}", flush=True)
    layers, head = model.bert.encoder.layer, model.bert.config.hidden_size // model.bert.config.num_attention_heads
    matter = [(torch.zeros(model.bert.config.num_attention_heads), torch.zeros(model.bert.config.intermediate_size)) for _ in layers]
    model.eval()
    for part in groups[-150:]:
        model.zero_grad(); loss(part).backward()
        for layer, (heads, inner) in zip(layers, matter):
            both = lambda linear, dim: (linear.weight * linear.weight.grad).sum(dim)
            heads += both(layer.attention.output.dense, 0).view(-1, head).sum(1).abs().detach()
            inner += both(layer.output.dense, 0).abs().detach()
    for i, (layer, (heads, inner)) in enumerate(zip(layers, matter)):
        drop = heads.argsort()[: len(heads) - args.heads].tolist()
        model.bert._prune_heads({i: drop})
        model.bert.config.pruned_heads[i] = drop
        keep = inner.argsort(descending=True)[: args.inner].sort().values
        layer.intermediate.dense = cut(layer.intermediate.dense, keep, 0)
        layer.output.dense = cut(layer.output.dense, keep, 1)
        print(f"layer {i}: heads {sorted(set(range(len(heads))) - set(drop))} keep {float(heads.topk(args.heads).values.sum() / heads.sum()):.2f}, "
              f"inner units {float(inner[keep].sum() / inner.sum()):.2f} of what matters", flush=True)
    model.bert.config.num_hidden_layers, model.bert.config.intermediate_size, model.bert.config.before = args.layers, args.inner, args.before
    out = Path(args.out)
    model.bert.save_pretrained(out)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        shutil.copy(Path(args.base) / name, out / name)
    inner = layers[args.before].attention.self.all_head_size
    torch.save(model.state_dict() | {"before_key": torch.zeros(inner), "before_value": torch.zeros(inner)}, out / "init.pt")


if __name__ == "__main__":
    main()
