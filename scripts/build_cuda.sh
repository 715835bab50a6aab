#!/usr/bin/env bash
# Builds darkroom for NVIDIA cards, on a machine that needs neither such a card nor CUDA's toolkit.
#
#     scripts/build_cuda.sh                 the program, at target/cuda/darkroom
#     CUDA_COMPUTE_CAP=86 scripts/build_cuda.sh
#
# Needs Rust, g++ (12 to 15), Python 3 with venv, and about 4 GB of disk under target/cuda. The toolkit and the libraries
# come from Python's registry, in the versions that torch 2.11 is built with: CUDA 13.0, cuDNN 9.19.
#
# CUDA_COMPUTE_CAP is the card's compute capability without its point: 90 (the default) is Hopper (H100, H200), 89 Ada,
# 86 and 80 Ampere, 75 Turing. FEATURES=cuda builds without cuDNN, which convolutions are slow without.
#
# Where it runs it needs a driver for CUDA 13 (580 or newer), and the libraries of the same wheels:
#     python3 -m pip install nvidia-cublas nvidia-cuda-runtime nvidia-curand nvidia-cuda-nvrtc nvidia-cudnn-cu13
#     export LD_LIBRARY_PATH=SITE_PACKAGES/nvidia/cu13/lib:SITE_PACKAGES/nvidia/cudnn/lib
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/target/cuda
features=${FEATURES:-cudnn}
mkdir -p "$work/stubs"

if [ ! -x "$work/wheels/nvidia/cu13/bin/nvcc" ]; then
  echo "build_cuda: bringing CUDA's toolkit and cuDNN from Python's registry (1.8 GB)"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --only-binary=:all: --target "$work/wheels" \
    'cuda-toolkit[nvcc,crt,nvvm,cccl,cudart,cublas,curand,nvrtc]==13.0.2' nvidia-cudnn-cu13==9.19.0.56
fi
cuda=$work/wheels/nvidia/cu13
cudnn=$work/wheels/nvidia/cudnn

# The wheels hold libraries under their full names alone, and no driver: the linker gets names for the former, and a
# library with the latter's functions, which the machine's own driver takes the place of at run time.
{ for define in -D__CUDA_API_VERSION_INTERNAL -UX; do
    printf '#include <cuda.h>\n' | gcc -E "$define" -I"$cuda/include" -
  done; } |
  grep -oE '\bcu[A-Z][A-Za-z0-9_]*[[:space:]]*\(' | tr -d ' (' | sort -u |
  awk '{print "int "$1"(void){return 999;}"}' > "$work/stubs/cuda.c"
gcc -w -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$work/stubs/libcuda.so" "$work/stubs/cuda.c"
for library in cudart:13 cublas:13 cublasLt:13 curand:10 nvrtc:13; do
  ln -sfn "$cuda/lib/lib${library%:*}.so.${library#*:}" "$work/stubs/lib${library%:*}.so"
done
ln -sfn "$cudnn/lib/libcudnn.so.9" "$work/stubs/libcudnn.so"

export CUDA_HOME=$cuda CUDA_PATH=$cuda NVCC=$cuda/bin/nvcc PATH=$cuda/bin:$PATH
export CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90} CUDARC_CUDA_VERSION=13000
export LIBRARY_PATH=$work/stubs

# The site that the program carries is the same whatever it computes with.
cargo xtask build --release
cargo build --release --package server --features "embed,$features" --target-dir "$work/target"
cp "$work/target/release/darkroom" "$work/darkroom"
echo "build_cuda: the program is at target/cuda/darkroom"
