"""One peer as a whole program: reads transcripts, judges every turn, writes a row a turn. `python peer.py KIND MODEL_DIR INPUT OUT [ONNX]`.

KIND: `onnx` (ONNX Runtime, rows sorted by length, two workers of one thread each), `pipeline` (the transformers `pipeline()`, in the order of the
input, as its documentation shows it) or `vader` (word list; sentiment only). All but VADER run the large network, which `evenhand --model accurate` runs on every turn too (but for emoji, for which evenhand puts words).
"""

import gzip
import json
import multiprocessing
import os
import sys
from pathlib import Path

ROLE = {"customer": "customer", "agent": "agent", "bot": "robot"}
MAX_TEXT, MAX_PREV, BATCH = 144, 40, 32


def turns(path):
    """(transcript, turn, role, text, role before, text before) of every turn that speaks."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        for line in f:
            t = json.loads(line)
            before = ("", "")
            for i, turn in enumerate(t["turns"]):
                if turn["role"] in ROLE and turn["text"].strip():
                    yield t["id"], i, turn["role"], turn["text"], *before
                    before = (turn["role"], turn["text"])


def ids_of(tokenizer, role, text, limit):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    ids = ids if len(ids) <= limit else ids[: limit // 2] + ids[len(ids) - limit // 2 :]
    return [tokenizer.token_to_id(ROLE[role])] + ids + [tokenizer.token_to_id("[SEP]")]


def onnx_worker(rows, model, network):
    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options)
    encoded = []
    for _, _, role, text, role_before, before in rows:
        own = [tokenizer.token_to_id("[CLS]")] + ids_of(tokenizer, role, text, MAX_TEXT)
        encoded.append((own + (ids_of(tokenizer, role_before, before, MAX_PREV) if before else []), len(own)))
    order = sorted(range(len(rows)), key=lambda i: len(encoded[i][0]))
    out = [None] * len(rows)
    for k in range(0, len(order), BATCH):
        part = order[k : k + BATCH]
        width = max(len(encoded[i][0]) for i in part)
        ids, types = np.zeros((len(part), width), np.int64), np.zeros((len(part), width), np.int64)
        mask, own = np.zeros((len(part), width), np.float32), np.zeros((len(part), width), np.float32)
        for r, i in enumerate(part):
            row, n = encoded[i]
            ids[r, : len(row)], types[r, n : len(row)], mask[r, : len(row)], own[r, :n] = row, 1, 1, 1
        logits = session.run(["logits"], {"ids": ids, "types": types, "mask": mask, "own": own})[0]
        for i, row in zip(part, (1 / (1 + np.exp(-logits))).tolist()):
            out[i] = row
    return out


def onnx(rows, model, network):
    half = len(rows) // 2
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        parts = pool.starmap(onnx_worker, [(rows[:half], model, network), (rows[half:], model, network)])
    return parts[0] + parts[1]


def pipeline(rows, model, _):
    import torch
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel, BertPreTrainedModel, PreTrainedTokenizerFast
    from transformers import pipeline as make
    from transformers.modeling_outputs import SequenceClassifierOutput

    stored = load_file(Path(model) / "model.safetensors")
    # Weights of 8 bits have a scale for each row.
    weights = {k: v.float() * stored[f"{k}_scale"].float()[:, None] if f"{k}_scale" in stored else v.float() for k, v in stored.items()}
    info = json.loads((Path(model) / "model.json").read_text())
    labels, width = len(info["labels"]), weights["heads.query"].shape[1]
    names = info["labels"] + info["sentiments"] + info["cues"]

    class Judge(BertPreTrainedModel):
        def __init__(self, config):
            super().__init__(config)
            self.bert = BertModel(config, add_pooling_layer=False)

        def forward(self, input_ids, attention_mask, token_type_ids, **_):
            hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
            own = (attention_mask == 1) & (token_type_ids == 0)
            scores = torch.einsum("btd,hd->bht", hidden, weights["heads.query"]).masked_fill(~own[:, None, :], -1e4)
            pooled, w = torch.softmax(scores, -1) @ hidden, weights["heads.weight"]
            parts = [(pooled[:, :labels] * w[:labels]).sum(-1), pooled[:, labels] @ w[labels : labels + 3].T, (pooled[:, labels + 1 :] * w[labels + 3 :]).sum(-1)]
            return SequenceClassifierOutput(logits=torch.cat(parts, 1) + weights["heads.bias"])

    config = BertConfig(
        vocab_size=weights["bert.embeddings.word_embeddings.weight"].shape[0], hidden_size=width, num_hidden_layers=info["layers"],
        num_attention_heads=width // 32, intermediate_size=4 * width, layer_norm_eps=1e-12,
        max_position_embeddings=weights["bert.embeddings.position_embeddings.weight"].shape[0], id2label=dict(enumerate(names)), num_labels=len(names),
    )
    judge = Judge(config).eval()
    judge.load_state_dict({k: v for k, v in weights.items() if k.startswith("bert.")}, strict=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(Path(model) / "tokenizer.json"), model_max_length=192, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]"
    )
    torch.set_num_threads(2)
    classify = make("text-classification", model=judge, tokenizer=tokenizer, function_to_apply="sigmoid", top_k=None, batch_size=BATCH, device="cpu")
    texts = [{"text": f"{ROLE[r]} {t}", "text_pair": f"{ROLE[b]} {p}" if p else ""} for _, _, r, t, b, p in rows]
    out = []
    for scores in classify(texts, truncation="longest_first", padding=True):
        by = {s["label"]: s["score"] for s in scores}
        out.append([by[n] for n in names])
    return out


def vader(rows, model, _):
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return [[analyzer.polarity_scores(r[3])["compound"]] for r in rows]


def main():
    kind, model, source, out, network = sys.argv[1:5] + (sys.argv[5:] or [""])
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    info = json.loads((Path(model) / "model.json").read_text())
    rows = list(turns(source))
    probabilities = {"onnx": onnx, "pipeline": pipeline, "vader": vader}[kind](rows, model, network)
    with open(out, "w", encoding="utf-8") as f:
        for (transcript, turn, role, *_), p in zip(rows, probabilities):
            side = slice(0, 8) if role == "customer" else slice(8, 24)
            of_side = list(zip(info["labels"], p))[side] if len(p) > 1 else []
            labels = [label for label, x in of_side if x >= info["thresholds"][label]]
            f.write(json.dumps({"transcript_id": transcript, "turn": turn, "role": role, "labels": labels, "scores": [round(x, 4) for x in p]}) + "\n")


if __name__ == "__main__":
    main()
