"""The program under test, for clients that people already have.

`cargo xtask test --only clients` runs these on the program that the tests have built; `DARKROOM` names it, which otherwise is where
`cargo xtask build --release` puts it.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

PROGRAM = Path(os.environ.get("DARKROOM", Path(__file__).parents[2] / "target/release/darkroom"))
STARTED = re.compile(r"listening on (http://\S+)")

# What the demo model paints, quickly.
PROMPT = "a red sailing boat on a calm sea at sunset"


class Darkroom:
    """A running program with a data folder of its own."""

    def __init__(self, data: Path, settings: str = ""):
        self.data = data
        (data / "darkroom.toml").write_text(settings)
        self.log = open(data / "log", "w+")
        # From a folder that has nothing to do with the repository: the program carries all it needs. Every picture is
        # painted: two that are the same were made twice.
        command = [PROGRAM, "serve", "--addr", "127.0.0.1:0", "--data", data / "darkroom", "--no-cache"]
        command += ["--config", data / "darkroom.toml"]
        self.process = subprocess.Popen(command, cwd=data, stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in self.process.stdout:
            if started := STARTED.search(line):
                self.url = started[1].rstrip("/")
                return
        raise RuntimeError(f"the program ended with {self.process.wait()}:\n{self.read_log()}")

    def read_log(self) -> str:
        self.log.flush()
        return (self.data / "log").read_text()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(timeout=30) == 0, self.read_log()
        self.process.stdout.close()
        self.log.close()


@pytest.fixture(scope="session")
def darkroom():
    """One program for all tests of a run."""
    with tempfile.TemporaryDirectory(prefix="darkroom-clients-") as data:
        program = Darkroom(Path(data))
        yield program
        program.stop()


@pytest.fixture
def fresh_darkroom():
    """A program for one test alone, with nothing in its history."""
    with tempfile.TemporaryDirectory(prefix="darkroom-clients-") as data:
        program = Darkroom(Path(data))
        yield program
        program.stop()


@pytest.fixture
def hasty_darkroom():
    """The same, whose operator lets no job take more than a second: what takes longer is refused, as soon as that is known."""
    with tempfile.TemporaryDirectory(prefix="darkroom-clients-") as data:
        program = Darkroom(Path(data), "[limits]\nseconds_per_job = 1\n")
        yield program
        program.stop()
