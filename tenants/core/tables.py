"""Finds every table of the product: walks the packages for `models` modules so that no area imports a neighbour's."""

from __future__ import annotations

import importlib
import pkgutil

ROOTS = ("app", "tenants", "lms")


def load() -> list[str]:
    """Import every `models` module below the contexts and return their names, sorted."""
    found: list[str] = []
    for root in ROOTS:
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            if module.name.rsplit(".", 1)[-1] == "models":
                importlib.import_module(module.name)
                found.append(module.name)
    return sorted(found)
