"""The project's own rules hold, and each one sees what it must."""

from __future__ import annotations

import pytest

from tools.lint import rules
from tools.lint.finding import Module, modules

BROKEN = {
    rules.no_commit: ("app/x/service.py", "def f(s):\n    s.commit()\n"),
    rules.no_naive_time: ("app/x/service.py", "from datetime import datetime\nx = datetime.utcnow()\n"),
    rules.tenant_scope: ("app/x/service.py", "from sqlalchemy import text\nx = text('select 1')\n"),
    rules.area_models: ("app/monitoring/alarms/service.py", "from app.monitoring.cameras.models import Camera\n"),
    rules.sizes: ("app/x/service.py", "x = 1\n" * 401),
    rules.docstring: ("app/x/service.py", "x = 1\n"),
}


def test_the_product_breaks_none_of_its_rules() -> None:
    findings = [str(finding) for module in modules() for rule in rules.RULES for finding in rule(module)]

    assert findings == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_each_rule_sees_what_breaks_it(rule: rules.Rule) -> None:
    path, source = BROKEN[rule]

    assert [finding.path for finding in rule(Module(path, source))] == [path]


def test_a_query_made_with_an_f_string_is_seen_even_in_the_reading_side() -> None:
    made = Module("app/x/queries.py", "from sqlalchemy import text\ndef f(name):\n    return text(f'select {name}')\n")
    constant = Module("app/x/queries.py", "from sqlalchemy import text\nNAME = 'x'\nQUERY = text(f'select {NAME}')\n")

    assert list(rules.tenant_scope(made))
    assert not list(rules.tenant_scope(constant))


def test_an_excuse_needs_its_reason() -> None:
    source = "def f(s):\n    s.commit()  # lint-skip no-commit:{}\n"

    assert not list(rules.no_commit(Module("app/x/service.py", source.format(" the measured statement is the point"))))
    assert list(rules.no_commit(Module("app/x/service.py", source.format(""))))


def test_alembic_is_never_a_package() -> None:
    root = modules.__globals__["ROOT"]

    assert not (root / "alembic" / "__init__.py").exists()
