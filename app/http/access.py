"""What each route declares about who may call it; the route test, the navigation and the OpenAPI document read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.kernel.permissions import Permission

Credential = Literal["session", "bearer", "none"]

DEFAULT_MAX_BODY = 5 * 2**20


@dataclass(frozen=True, slots=True)
class Access:
    """The declared access of one view: a permission, or the reason why everybody may call it."""

    permission: Permission | None = None
    public: str = ""
    credential: Credential = "session"
    elevated: bool = False
    audited: str = ""
    unit: bool = True
    idempotent: bool = False
    csrf: bool = True
    max_body: int = DEFAULT_MAX_BODY
    limit: str = ""


def access_of(view: object, method: str = "GET") -> Access | None:
    """The declaration of a view function, or of one method of a class-based view; None when there is none."""
    view_class = getattr(view, "view_class", None)
    handler = getattr(view_class, method.lower(), None) if view_class else view
    declared = getattr(handler, "__access__", None)
    return declared if isinstance(declared, Access) else None
