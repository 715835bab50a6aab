"""Runs every stage in order: `.venv/bin/python -m training.run`.

Finished stages of training are skipped and interrupted ones go on; `export` and `evaluate` run each time. A stage is
its own process, so that each frees its memory and can be run by hand in the same way.
"""

import argparse
import os
import subprocess
import sys

from . import paths


def stages(samples: int, files: int, processes: int) -> list[list[str]]:
    """The commands, without the interpreter."""
    alone = [sys.executable, "-m"]
    train = (
        alone
        if processes == 1
        else [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "-m"]
    )
    return [
        [*alone, "training.tokenizer"],
        [*alone, "training.vae"],
        [*alone, "training.text"],
        [*alone, "training.cache", "--files", str(files)],
        [*train, "training.diffusion", "--samples", str(samples)],
        [*alone, "training.prompts"],
        [*alone, "training.export"],
        [*alone, "training.classifier"],
        [*alone, "training.evaluate"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--samples", type=int, default=300_000, help="that the diffusion training sees, earlier runs counted in"
    )
    parser.add_argument("--files", type=int, default=100, help="files of a thousand postcards to paint ahead")
    parser.add_argument("--processes", type=int, default=1, help="for the diffusion training; more than 1 on a CPU")
    options = parser.parse_args()
    print(f"work folder: {paths.WORK}\nmodels: {paths.MODELS}")
    environment = {**os.environ, "PYTHONPATH": str(paths.REPOSITORY)}
    for command in stages(options.samples, options.files, options.processes):
        print("$", " ".join(command[1:]), flush=True)
        subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
