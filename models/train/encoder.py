"""The classifier: an encoder (BERT, or MPNet for the teacher), and heads that each read the turn's tokens with an attention of their own.

Where the encoder's config has `before`, the turn before is read apart, as [CLS] role prev [SEP] with positions from 0 (Classifier.encode_apart).

Input ids of a turn:  [CLS] role text [SEP]            (no turn before)
                      [CLS] role text [SEP] role prev [SEP]
`role` is the one word customer, agent or bot. Long turns keep their head and tail.
"""

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from labels import CUES, LABELS
from text import plain

MAX_TEXT, MAX_PREV = 144, 40
ROLE_WORDS = {"customer": "customer", "agent": "agent", "bot": "robot"}


def head_tail(ids, limit, head):
    return ids if len(ids) <= limit else ids[:head] + ids[len(ids) - (limit - head):]


class Inputs:
    def __init__(self, path, tok=None):
        self.tok = tok or AutoTokenizer.from_pretrained(path)
        word = lambda w: self.tok.convert_tokens_to_ids(w)
        self.cls, self.sep, self.pad = self.tok.cls_token_id, self.tok.sep_token_id, self.tok.pad_token_id
        self.role = {r: word(w) for r, w in ROLE_WORDS.items()}

    def tokens(self, texts):
        return self.tok([plain(t) for t in texts], add_special_tokens=False, truncation=False)["input_ids"]

    def rows(self, rows):
        """ids, and how many of them belong to the turn itself ([CLS] role text [SEP])."""
        texts, prevs = self.tokens(r["text"] for r in rows), self.tokens(r["prev"] for r in rows)
        out = []
        for r, t, p in zip(rows, texts, prevs):
            ids = [self.cls, self.role[r["role"]]] + head_tail(t, MAX_TEXT, MAX_TEXT // 2) + [self.sep]
            own = len(ids)
            if p and r["prev_role"] in self.role:
                ids += [self.role[r["prev_role"]]] + head_tail(p, MAX_PREV, MAX_PREV // 2) + [self.sep]
            out.append((ids, own))
        return out

    def batch(self, encoded):
        width = max(len(ids) for ids, _ in encoded)
        ids = torch.full((len(encoded), width), self.pad)
        own = torch.zeros(len(encoded), width, dtype=torch.bool)
        types = torch.zeros(len(encoded), width, dtype=torch.long)
        for i, (row, n) in enumerate(encoded):
            ids[i, : len(row)] = torch.tensor(row)
            own[i, :n] = True
            types[i, n : len(row)] = 1
        return ids, types, ids != self.pad, own


class Classifier(nn.Module):
    """logits: [batch, 24 labels + 3 sentiments + 11 cues]."""

    def __init__(self, path):
        super().__init__()
        config = AutoConfig.from_pretrained(path)
        self.typed = config.model_type == "bert"  # MPNet has no token types
        fast = {"attn_implementation": "sdpa"} if self.typed else {}
        self.bert = AutoModel.from_pretrained(path, add_pooling_layer=False, **fast)
        self.before = getattr(config, "before", None)
        if self.before is not None:
            inner = self.bert.encoder.layer[self.before].attention.self.all_head_size
            self.before_key, self.before_value = nn.Parameter(torch.zeros(inner)), nn.Parameter(torch.zeros(inner))
        width = self.bert.config.hidden_size
        heads, logits = len(LABELS) + 1 + len(CUES), len(LABELS) + 3 + len(CUES)
        self.query = nn.Parameter(torch.randn(heads, width) * 0.02)
        self.weight = nn.Parameter(torch.randn(logits, width) * 0.02)
        self.bias = nn.Parameter(torch.zeros(logits))
        self.dropout = nn.Dropout(0.1)
        self.fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()

    def encode(self, ids, types, mask):
        """[batch, tokens, width]; in bfloat16 inside where `fast`: twice as fast or more where the machine has it."""
        typed = {"token_type_ids": types} if self.typed else {}
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.fast):
            return self.bert(ids, attention_mask=mask, **typed).last_hidden_state.float()

    def encode_apart(self, ids, types, own):
        """As `encode`, of the turn's own tokens. Every turn goes through the layers below `before` by itself; there its tokens also see those of the turn before, which has come as
        far: no token's way depends on more than two turns, and a turn need be computed only once for itself and for the next."""
        cls = ids[:, :1]
        width, lengths = int(own.sum(1).max()), types.sum(1)
        mine, mask = ids[:, :width], own[:, :width]
        place = own.sum(1)[:, None] + torch.arange(int(lengths.max()))[None]
        prev = torch.cat([cls, ids.gather(1, place.clamp(max=ids.shape[1] - 1))], 1)
        seen = (torch.arange(prev.shape[1])[None] <= lengths[:, None]) & (lengths > 0)[:, None]
        wide = lambda m: torch.where(m, 0.0, -1e4)[:, None, None, :]
        layers = self.bert.encoder.layer
        below = lambda t, m: self.run_layers(layers[: self.before], self.bert.embeddings(t), wide(m))
        hidden, prior = below(mine, mask), below(prev, seen | (lengths == 0)[:, None])
        layer = layers[self.before]
        look = layer.attention.self
        split = lambda x: x.view(x.shape[0], x.shape[1], look.num_attention_heads, -1).transpose(1, 2)
        key = torch.cat([look.key(hidden), look.key(prior) + self.before_key], 1)
        value = torch.cat([look.value(hidden), look.value(prior) + self.before_value], 1)
        mixed = nn.functional.scaled_dot_product_attention(split(look.query(hidden)), split(key), split(value), wide(torch.cat([mask, seen], 1)))
        mixed = layer.attention.output(mixed.transpose(1, 2).flatten(2), hidden)
        hidden = layer.output(layer.intermediate(mixed), mixed)
        return self.run_layers(layers[self.before + 1 :], hidden, wide(mask)), mask

    @staticmethod
    def run_layers(layers, hidden, mask):
        for layer in layers:
            hidden = layer(hidden, mask)[0]
        return hidden

    def freeze(self, layers):
        """Leaves the word embeddings, and the lowest `layers` layers, as they were pretrained."""
        self.bert.embeddings.word_embeddings.weight.requires_grad = False
        if layers:
            self.bert.embeddings.requires_grad_(False)
        for layer in self.bert.encoder.layer[:layers]:
            layer.requires_grad_(False)

    def forward(self, ids, types, mask, own):
        if self.before is None:
            hidden = self.encode(ids, types, mask)
        else:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.fast):
                hidden, own = self.encode_apart(ids, types, own)
            hidden = hidden.float()
        return self.heads(self.dropout(hidden), own)

    def heads(self, hidden, own):
        """logits, from hidden states of which `own` are the turn's."""
        scores = torch.einsum("btd,hd->bht", hidden, self.query).masked_fill(~own[:, None, :], -1e4)
        pooled = torch.softmax(scores, dim=-1) @ hidden  # [batch, heads, width]
        n = len(LABELS)
        labels = (pooled[:, :n] * self.weight[:n]).sum(-1)
        sentiment = pooled[:, n] @ self.weight[n : n + 3].T
        cues = (pooled[:, n + 1 :] * self.weight[n + 3 :]).sum(-1)
        return torch.cat([labels, sentiment, cues], dim=1) + self.bias
