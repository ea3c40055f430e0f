"""Every deed that the product records has a Spanish name, and no name waits for a deed that nobody records."""

from __future__ import annotations

import re

from app.audit.types import LABELS
from app.kernel.permissions import Permission
from tools.lint.finding import modules

TAG = re.compile(r'"([a-z]+:[a-z_]+:[a-z_]+)"')
ALARM_DEEDS = re.compile(r'_(?:done|end)\(actor, alarm, "([a-z_]+)"')
# Words with the same shape that are not deeds, and deeds that later issues will record under a name already agreed.
NOT_DEEDS = {"pipc:clock:tick"}
AGREED = {"province:municipality:enter", "province:records:read"}


def recorded() -> set[str]:
    found: set[str] = set()
    for module in modules():
        if module.path != "app/audit/types.py":
            found |= set(TAG.findall(module.source))
            found |= {f"alarms:alarm:{deed}" for deed in ALARM_DEEDS.findall(module.source)}
    permissions = {permission.value for permission in Permission} - LABELS.keys()
    return found - permissions - NOT_DEEDS


def test_every_recorded_deed_has_a_spanish_name() -> None:
    assert sorted(recorded() - LABELS.keys()) == []


def test_no_name_is_left_without_its_deed() -> None:
    assert sorted(LABELS.keys() - recorded() - AGREED) == []
