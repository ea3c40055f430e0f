"""Jobs of identity."""

from __future__ import annotations

from app.identity import service
from app.kernel.jobs import job


@job(service.RECONCILE, queue="tenants", timeout_s=60, long=True)
def reconcile() -> None:
    """Put right the organization of the acting municipality."""
    service.reconcile_own_organization()
