"""The rules: each takes a module and yields what breaks it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tools.lint.finding import Finding, Module

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
# Where a transaction is opened and committed, and the places that own a connection of their own by design.
COMMITS = (
    "app/kernel/unit_of_work.py",
    "app/cli/local/",
    "workers/node/",
    "workers/recorder/",
    "tenants/core/migrations.py",
    "tenants/core/seed.py",
)
# Statements written by hand live in the reading side, in the kernel, and where a measured statement is the point.
TEXT_SQL = (
    "queries.py",
    "app/kernel/",
    "app/cli/local/",
    "tenants/core/",
    "workers/jobs/",
    "app/adapters/probes.py",
    "models.py",
    "app/http/hub.py",
    "app/audit/service.py",
)
BYPASSES = {"bulk_update_mappings", "bulk_insert_mappings", "bulk_save_objects", "from_statement"}

Rule = Callable[[Module], Iterator[Finding]]


def _found(module: Module, node: ast.AST, rule: str, text: str) -> Iterator[Finding]:
    line = getattr(node, "lineno", 1)
    if not module.excuses(line, rule):
        yield Finding(module.path, line, rule, text)


def no_commit(module: Module) -> Iterator[Finding]:
    """Nobody commits but the unit of work."""
    if module.path.startswith(COMMITS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield from _found(module, node, "no-commit", "commit() fuera de unit_of_work")


def no_naive_time(module: Module) -> Iterator[Finding]:
    """The present is asked of `kernel.clock`; an instant without zone is a mistake waiting."""
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name = node.func.attr
        of_datetime = isinstance(node.func.value, ast.Name) and node.func.value.id == "datetime"
        if of_datetime and name in {"utcnow", "utcfromtimestamp"}:
            yield from _found(module, node, "no-naive-time", f"datetime.{name}() no tiene zona")
        if of_datetime and name == "now" and not node.args and not node.keywords:
            yield from _found(module, node, "no-naive-time", "datetime.now() no tiene zona: usar kernel.clock")


def tenant_scope(module: Module) -> Iterator[Finding]:
    """Forms of the ORM that the municipality's criterion does not reach, and SQL by hand outside the reading side."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in BYPASSES:
            yield from _found(module, node, "tenant-scope", f"{name}() escapa al criterio de municipio")
        if (
            name == "text"
            and _imports_text(module)
            and not module.path.endswith(TEXT_SQL)
            and not module.path.startswith(TEXT_SQL)
        ):
            yield from _found(module, node, "tenant-scope", "SQL a mano fuera de queries.py")
        if name == "text" and node.args and _interpolates(node.args[0]):
            yield from _found(module, node, "tenant-scope", "SQL armado con una f-string")


def _interpolates(argument: ast.expr) -> bool:
    """An f-string with anything but constants of the module in it."""
    if not isinstance(argument, ast.JoinedStr):
        return False
    values = [part.value for part in argument.values if isinstance(part, ast.FormattedValue)]
    return not all(isinstance(value, ast.Name) and value.id.isupper() for value in values)


def _imports_text(module: Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "sqlalchemy"
        and any(alias.name == "text" for alias in node.names)
        for node in ast.walk(module.tree)
    )


def area_models(module: Module) -> Iterator[Finding]:
    """A table belongs to its area: neighbours ask its service."""
    area = module.name.rpartition(".")[0] if not module.path.endswith("__init__.py") else module.name
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith(".models"):
            owner = node.module.removesuffix(".models")
            if owner != area and not area.startswith(owner + ".") and not _shared(owner, area):
                yield from _found(module, node, "area-models", f"{node.module} es de {owner}: pedirlo a su service")


def _shared(owner: str, area: str) -> bool:
    """Neither the directory of municipalities nor what has no database is anybody's neighbour."""
    return owner == "tenants.core" or (owner.startswith("workers.") and area.startswith("workers."))


def sizes(module: Module) -> Iterator[Finding]:
    """A file has one reason to exist and a function reads at a glance."""
    count = len(module.source.splitlines())
    if count > MAX_FILE_LINES:
        yield Finding(module.path, 1, "size", f"{count} líneas (máximo {MAX_FILE_LINES})")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield from _found(
                    module, node, "size", f"{node.name}() tiene {lines} líneas (máximo {MAX_FUNCTION_LINES})"
                )


def docstring(module: Module) -> Iterator[Finding]:
    """A module opens with what it is for; a package that holds others is that sentence and nothing else."""
    tree = module.tree
    if not ast.get_docstring(tree):
        yield Finding(module.path, 1, "docstring", "falta la oración que dice para qué es")
    elif (
        module.path.endswith("__init__.py")
        and module.path.startswith(("app/", "tenants/", "lms/"))
        and len(tree.body) > 1
    ):
        yield Finding(module.path, tree.body[1].lineno, "docstring", "un paquete es su oración y nada más")


RULES: tuple[Rule, ...] = (no_commit, no_naive_time, tenant_scope, area_models, sizes, docstring)
