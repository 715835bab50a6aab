"""Trains the two models that Darkroom carries: `demo` and `demo-prompts`. See README.md."""
