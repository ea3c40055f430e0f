"""Rules of this project that ruff does not know; `python -m tools.lint` runs them all."""
