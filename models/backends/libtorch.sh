#!/usr/bin/env bash
# Sets up what the rust-bert backend is built with: libtorch 2.4.0 from PyPI's torch (Linux on x86-64, needs python3 and g++).
#   eval "$(bash models/backends/libtorch.sh [FOLDER])"      (default: target/libtorch)
# Then:  cargo run --release --features rust-bert -- audit INPUT --out RUN --backend rust-bert
# What it prints are the settings that both the build and the program need.
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:-target/libtorch}"
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "libtorch.sh: PyPI has no libtorch for $(uname -sm) that this script knows; set LIBTORCH to a libtorch 2.4.0 instead" >&2
    exit 1
fi
mkdir -p "$out"
out="$(cd "$out" && pwd)"
if [ ! -e "$out/build-version" ]; then
    rm -rf "$out/venv" "$out/wheels" "$out/include" "$out/lib"
    python3 -m venv "$out/venv"
    # Wheels of Python 3.11 whatever Python is here: only their libraries are used. Two of CUDA's are asked for by name, and not used.
    "$out/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$out/wheels" \
        --only-binary :all: --python-version 3.11 --platform manylinux1_x86_64 \
        torch==2.4.0 nvidia-cuda-runtime-cu12==12.1.105 nvidia-cuda-cupti-cu12==12.1.105 >&2
    mkdir "$out/lib"
    mv "$out"/wheels/torch/lib/{libtorch_cpu.so,libc10.so,libgomp-a34b3233.so.1} \
        "$out"/wheels/nvidia/cuda_runtime/lib/libcudart.so.12 "$out"/wheels/nvidia/cuda_cupti/lib/libcupti.so.12 "$out/lib/"
    mv "$out/wheels/torch/include" "$out/include"
    # PyPI's own libtorch.so wants all of CUDA; this one wants the processor's part only.
    g++ -shared -fPIC -x c++ /dev/null -o "$out/lib/libtorch.so" -L"$out/lib" -Wl,--no-as-needed -ltorch_cpu -lc10 \
        -Wl,-rpath,'$ORIGIN' -Wl,--unresolved-symbols=ignore-in-shared-libs
    rm -rf "$out/venv" "$out/wheels"
    echo 2.4.0 > "$out/build-version"
fi
echo "export LIBTORCH=$out LIBTORCH_CXX11_ABI=0 LD_LIBRARY_PATH=$out/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
