"""Finds what every area declares, by walking the packages, so that no area imports its neighbours for it."""

from __future__ import annotations

import importlib
import pkgutil

ROOTS = ("app", "tenants", "lms")


def load(kind: str) -> list[str]:
    """Import every module called `kind` (`models`: tables, `tasks`: jobs) and return their names, sorted."""
    found: list[str] = []
    for root in ROOTS:
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            if module.name.rsplit(".", 1)[-1] == kind:
                importlib.import_module(module.name)
                found.append(module.name)
    return sorted(found)
