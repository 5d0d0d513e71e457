"""Makes the base of a small encoder from a trained one: `python small.py --run RUN --base MINILM --out SMALL`.

Fewer and narrower layers, which start at random; the word, position and type embeddings are the trained ones, projected on the directions in which
they differ most, so that the small one knows from the start which words are alike.
"""

import argparse
import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, BertModel

from encoder import Classifier


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--run", required=True, help="folder that train.py wrote")
    a.add_argument("--base", required=True, help="folder of the encoder that it started from")
    a.add_argument("--out", required=True)
    a.add_argument("--layers", type=int, default=2)
    a.add_argument("--width", type=int, default=192)
    args = a.parse_args()
    torch.manual_seed(0)
    model = Classifier(args.base)
    model.load_state_dict(torch.load(Path(args.run) / "best.pt", weights_only=True))
    large = model.bert.embeddings
    config = AutoConfig.from_pretrained(args.base)
    config.hidden_size, config.intermediate_size = args.width, 4 * args.width
    config.num_hidden_layers, config.num_attention_heads = args.layers, args.width // 32
    small = BertModel(config, add_pooling_layer=False)
    words = large.word_embeddings.weight.detach()
    mean = words.mean(0)
    _, _, directions = torch.linalg.svd(words - mean, full_matrices=False)
    project = directions[: args.width].T
    # Layer norm follows, so only the relations count; they start at the size that BERT starts with.
    scale = 0.05 / ((words - mean) @ project).std()
    with torch.no_grad():
        for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
            full = getattr(large, name).weight
            centre = mean if name == "word_embeddings" else full.mean(0)
            getattr(small.embeddings, name).weight.copy_((full - centre) @ project * scale)
    small.save_pretrained(args.out)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (Path(args.base) / name).exists():
            shutil.copy(Path(args.base) / name, Path(args.out) / name)
    print(sum(p.numel() for p in small.encoder.parameters()), "parameters in the layers")


if __name__ == "__main__":
    main()
