"""Where things lie: the work folder for checkpoints and caches, and the folder of finished models."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
WORK = Path(os.environ.get("DARKROOM_TRAINING", REPOSITORY / "training" / "runs"))
MODELS = Path(os.environ.get("DARKROOM_MODELS_OUT", REPOSITORY / "models"))
DEMO = MODELS / "demo"
PROMPTS = MODELS / "demo-prompts"


def work(name: str) -> Path:
    """A path in the work folder; its parent folders exist afterwards."""
    path = WORK / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
