#!/usr/bin/env bash
# Sets up the onnx backend: ONNX Runtime from PyPI, and the built-in model's network beside its other files.
#   bash models/backends/onnx.sh [FOLDER]      (default: target/onnx)
# Then:  export ORT_DYLIB_PATH=FOLDER/libonnxruntime.so
#        cargo run --release --features onnx -- audit INPUT --out RUN --backend onnx --model FOLDER/model
set -euo pipefail
cd "$(dirname "$0")/../.."
model=models/default
out="${1:-target/onnx}"
mkdir -p "$out/model"
out="$(cd "$out" && pwd)"
[ -d "$out/venv" ] || python3 -m venv "$out/venv"
"$out/venv/bin/pip" install --quiet numpy==2.2.6 onnx==1.23.2 onnxruntime==1.31.0 safetensors==0.8.0
cp "$model"/{model.json,tokenizer.json,model.safetensors} "$out/model/"
"$out/venv/bin/python" models/backends/onnx_export.py "$out/model" "$out/model/model.onnx"
ln -sf "$(ls "$out"/venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.* | head -1)" "$out/libonnxruntime.so"
echo "export ORT_DYLIB_PATH=$out/libonnxruntime.so"
