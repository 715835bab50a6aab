"""Without torch, which is large, the tests that need it are left out, and said to be: `cargo xtask test` runs the
others."""

import importlib.util
import re
from pathlib import Path

HERE = Path(__file__).parent

collect_ignore = []
if importlib.util.find_spec("torch") is None:
    needs_torch = re.compile(r"^(import|from) torch", re.MULTILINE)
    collect_ignore = [file.name for file in HERE.glob("test_*.py") if needs_torch.search(file.read_text())]


def pytest_terminal_summary(terminalreporter):
    if collect_ignore:
        terminalreporter.write_line(f"left out, since torch is not installed: {', '.join(sorted(collect_ignore))}")
