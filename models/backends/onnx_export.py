"""Writes a model folder's network as ONNX: `python onnx_export.py MODEL_DIR OUT.onnx [--int8 INT8.onnx]`.

    pip install numpy==2.2.6 onnx==1.23.2 onnxruntime==1.31.0 safetensors==0.8.0

Weights may be of 16 or of 8 bits; the network's are 32-bit floats. Only the large network is written.

Inputs `ids`, `types` (int64) and `mask`, `own` (float32: 1 where there is a token, 1 where it is the turn's own), each [rows, tokens].
Outputs `logits` [rows, 38] and `adds` [rows, labels, tokens]: what each token adds to a label's logit.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

HEAD = 32  # width of an attention head


def floats(path):
    """The tensors of a file as 32-bit floats; one of 8-bit numbers has a scale for each row in NAME_scale."""
    tensors = load_file(path)
    whole = lambda name, t: t.astype(np.float32) * tensors[f"{name}_scale"].astype(np.float32)[:, None] if t.dtype == np.int8 else t.astype(np.float32)
    return {name: whole(name, t) for name, t in tensors.items()}


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.constants, self.n = weights, [], {}, 0

    def constant(self, name, value):
        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name, transpose=False):
        value = self.weights[name]
        return self.constant(name + (".T" if transpose else ""), value.T if transpose else value)

    def op(self, kind, *inputs, out=None, **attributes):
        self.n += 1
        out = out or f"{kind}_{self.n}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def ints(self, *values):
        return self.constant("ints_" + "_".join(map(str, values)).replace("-", "m"), np.array(values, np.int64))

    def dense(self, x, name):
        return self.op("Add", self.op("MatMul", x, self.weight(f"{name}.weight", True)), self.weight(f"{name}.bias"))

    def norm(self, x, name):
        return self.op("LayerNormalization", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), axis=-1, epsilon=1e-12)


def bert(g, layers, width):
    heads, e = width // HEAD, "bert.embeddings"
    tokens = g.op("Slice", g.op("Shape", "ids"), g.ints(1), g.ints(2))
    places = g.op("Slice", g.weight(f"{e}.position_embeddings.weight"), g.ints(0), tokens, g.ints(0))
    x = g.op("Add", g.op("Gather", g.weight(f"{e}.word_embeddings.weight"), "ids"), g.op("Gather", g.weight(f"{e}.token_type_embeddings.weight"), "types"))
    x = g.norm(g.op("Add", x, places), f"{e}.LayerNorm")
    one = g.constant("one", np.float32(1))
    far = g.constant("far", np.float32(1e4))
    hidden = g.op("Mul", g.op("Sub", g.op("Unsqueeze", "mask", g.ints(1, 2)), one), far)
    split = lambda y: g.op("Reshape", y, g.ints(0, 0, heads, HEAD))
    for i in range(layers):
        name = f"bert.encoder.layer.{i}"
        q, k, v = (split(g.dense(x, f"{name}.attention.self.{p}")) for p in ("query", "key", "value"))
        scores = g.op("MatMul", g.op("Transpose", q, perm=[0, 2, 1, 3]), g.op("Transpose", k, perm=[0, 2, 3, 1]))
        scores = g.op("Add", g.op("Mul", scores, g.constant("scale", np.float32(HEAD**-0.5))), hidden)
        mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), g.op("Transpose", v, perm=[0, 2, 1, 3]))
        mixed = g.op("Reshape", g.op("Transpose", mixed, perm=[0, 2, 1, 3]), g.ints(0, 0, width))
        x = g.norm(g.op("Add", g.dense(mixed, f"{name}.attention.output.dense"), x), f"{name}.attention.output.LayerNorm")
        wide = g.op("Gelu", g.dense(x, f"{name}.intermediate.dense"))
        x = g.norm(g.op("Add", g.dense(wide, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")
    return x, one, far


def heads(g, x, one, far, labels, sentiments):
    own = g.op("Mul", g.op("Sub", g.op("Unsqueeze", "own", g.ints(1)), one), far)
    scores = g.op("Transpose", g.op("MatMul", x, g.weight("heads.query", True)), perm=[0, 2, 1])
    attention = g.op("Softmax", g.op("Add", scores, own), axis=-1)
    pooled = g.op("MatMul", attention, x)
    weight = g.weights["heads.weight"]
    part = lambda y, a, b: g.op("Slice", y, g.ints(a), g.ints(b), g.ints(1))
    each = lambda y, name, w: g.op("ReduceSum", g.op("Mul", y, g.constant(name, w)), g.ints(-1), keepdims=0)
    end = g.weights["heads.query"].shape[0]
    of_labels = each(part(pooled, 0, labels), "label_weight", weight[:labels])
    feeling = g.op("Squeeze", part(pooled, labels, labels + 1), g.ints(1))
    of_feeling = g.op("MatMul", feeling, g.constant("sentiment_weight", weight[labels : labels + sentiments].T))
    of_cues = each(part(pooled, labels + 1, end), "cue_weight", weight[labels + sentiments :])
    g.op("Add", g.op("Concat", of_labels, of_feeling, of_cues, axis=1), g.weight("heads.bias"), out="logits")
    says = g.op("Transpose", g.op("MatMul", x, g.constant("label_weight_t", weight[:labels].T)), perm=[0, 2, 1])
    g.op("Mul", part(attention, 0, labels), says, out="adds")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    a.add_argument("out")
    a.add_argument("--int8", help="also write the network with 8-bit weights")
    args = a.parse_args()
    info = json.loads((Path(args.model) / "model.json").read_text())
    g = Graph(floats(Path(args.model) / "model.safetensors"))
    width = g.weights["heads.query"].shape[1]
    heads(g, *bert(g, info["layers"], width), len(info["labels"]), len(info["sentiments"]))
    shaped = lambda name, kind: helper.make_tensor_value_info(name, kind, ["rows", "tokens"])
    inputs = [shaped("ids", TensorProto.INT64), shaped("types", TensorProto.INT64), shaped("mask", TensorProto.FLOAT), shaped("own", TensorProto.FLOAT)]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", g.weights["heads.bias"].shape[0]]),
        helper.make_tensor_value_info("adds", TensorProto.FLOAT, ["rows", len(info["labels"]), "tokens"]),
    ]
    graph = helper.make_graph(g.nodes, info["name"], inputs, outputs, list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, args.out)
    if args.int8:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(args.out, args.int8, weight_type=QuantType.QInt8, reduce_range=True, per_channel=True, op_types_to_quantize=["MatMul"])


if __name__ == "__main__":
    main()
