"""schemathesis, which asks for whatever the API's document allows, and for what it does not."""

import subprocess
import sys
from pathlib import Path

import requests

HERE = Path(__file__).parent


def test_the_api_is_what_its_document_says(hasty_darkroom, tmp_path):
    # Somebody who comes back, to whom jobs and pictures belong. Hundreds of their requests are for pictures; the test is of
    # answers, and a refusal is one as well.
    visitor = requests.get(f"{hasty_darkroom.url}/").cookies["darkroom_visitor"]
    run = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml"]
        + ["run", f"{hasty_darkroom.url}/api/v1/openapi.json", "--seed", "1", "--max-examples", "15"]
        + ["--header", f"Cookie: darkroom_visitor={visitor}", "--request-timeout", "120", "--no-color", "--warnings", "off"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Tested: " in run.stdout, run.stdout
