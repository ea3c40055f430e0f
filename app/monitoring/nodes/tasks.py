"""Jobs of the nodes area."""

from __future__ import annotations

from app.kernel.actor import current
from app.kernel.jobs import job
from app.monitoring.nodes import service


@job("nodes.raise_pending", queue="alarms", timeout_s=30)
def raise_pending() -> None:
    """Raise what a web process left pending."""
    service.raise_pending(current())
