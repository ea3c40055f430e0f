"""Sessions in use: kept true to the identity server, refreshed once, and ended when they must."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.identity.deadlines import GRACE_WITHOUT_SERVER, IDLE, SHIFT
from app.kernel.db import session
from app.kernel.errors import Unavailable
from app.kernel.ports import IdentityProvider, TokenSet
from app.kernel.unit_of_work import unit_of_work
from tests.support.identity import Installation, Somebody, Visitor
from tests.support.world import actor

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

DOOR = "/m/laprida/entrar"
ACCESS_TOKEN = timedelta(minutes=5)


@dataclass
class Watched:
    """The real identity server, counted; `away` makes it not answer."""

    real: IdentityProvider
    away: bool = False
    scopes: list[str] = field(default_factory=list)
    slow: threading.Event | None = None

    @property
    def refreshes(self) -> int:
        return len(self.scopes)

    def authorization_url(self, **asked: object) -> str:
        return self.real.authorization_url(**asked)  # type: ignore[arg-type]

    def exchange(self, **asked: object) -> TokenSet:
        return self.real.exchange(**asked)  # type: ignore[arg-type]

    def refresh(self, *, refresh_token: str, scope: str) -> TokenSet:
        self.scopes.append(scope)
        if self.slow is not None:
            self.slow.wait(5)
        if self.away:
            raise Unavailable("no responde")
        return self.real.refresh(refresh_token=refresh_token, scope=scope)

    def end(self, refresh_token: str) -> None:
        self.real.end(refresh_token)

    def logout_url(self, id_token: str) -> str:
        return self.real.logout_url(id_token)


@pytest.fixture
def watched(installation: Installation) -> Watched:
    provider = Watched(installation.plug().sign_in.provider)
    installation.plug(provider=provider)
    return provider


Later = Callable[[timedelta], None]


@pytest.fixture
def later(installation: Installation) -> Later:
    """Makes every session that much older: tokens of the identity server carry its own clock, which nobody moves."""
    moments = (
        "idle_at",
        "expires_at",
        "access_expires_at",
        "refreshing_until",
        "refreshed_at",
        "created_at",
        "seen_at",
    )

    def age(by: timedelta) -> None:
        changes = ", ".join(f"{name} = {name} - %(by)s" for name in moments)
        with installation.world.admin() as connection:
            connection.execute(f"update app.web_sessions set {changes}", {"by": by})

    return age


def enter(installation: Installation, role: str = "operador-municipal") -> tuple[Somebody, Visitor]:
    person, visitor = installation.somebody(role, installation.ours), installation.visitor()
    assert visitor.sign_in(person, DOOR).status_code == 303
    return person, visitor


def is_in(visitor: Visitor) -> bool:
    return visitor.get("/inicio").status_code == 200


def test_a_fresh_session_asks_nothing(installation: Installation, watched: Watched) -> None:
    _, visitor = enter(installation)

    assert is_in(visitor)
    assert watched.refreshes == 0


def test_a_session_about_to_be_stale_is_refreshed_once(
    installation: Installation, watched: Watched, later: Later
) -> None:
    _, visitor = enter(installation)
    later(ACCESS_TOKEN)

    assert is_in(visitor)
    assert is_in(visitor)
    assert watched.refreshes == 1


def test_two_tabs_at_once_make_one_refresh(installation: Installation, watched: Watched, later: Later) -> None:
    _, visitor = enter(installation)
    later(ACCESS_TOKEN)
    watched.slow = threading.Event()
    answers: list[int] = []
    tabs = [
        threading.Thread(target=lambda: answers.append(_tab(installation, visitor).get("/inicio").status_code))
        for _ in range(4)
    ]

    for tab in tabs:
        tab.start()
    watched.slow.set()
    for tab in tabs:
        tab.join(20)

    assert answers == [200] * 4
    assert watched.refreshes == 1


def _tab(installation: Installation, visitor: Visitor) -> Visitor:
    """Another tab of the same browser."""
    tab = installation.visitor()
    tab.client.set_cookie("pipc_dev", visitor.cookie, domain="127.0.0.1")
    return tab


def test_a_role_taken_away_is_lost_at_the_next_refresh(installation: Installation, later: Later) -> None:
    person, visitor = enter(installation)
    installation.admin.ensure_person(replace(person.spec, role="alumno"))
    installation.take_role(person, installation.ours)
    later(ACCESS_TOKEN)

    start = visitor.get("/inicio")

    assert "Alumno" in start.text
    assert "Operador municipal" not in start.text


def test_the_last_role_taken_away_ends_the_session(installation: Installation, later: Later) -> None:
    person, visitor = enter(installation)
    installation.take_role(person, installation.ours)
    later(ACCESS_TOKEN)

    assert not is_in(visitor)
    assert installation.sessions() == 0
    assert "no-role" in installation.audited(installation.ours, "auth:session:end")[0][1]


def test_somebody_who_no_longer_works_there_is_out(installation: Installation, later: Later) -> None:
    person, visitor = enter(installation)
    installation.take_membership(person, installation.ours)
    later(ACCESS_TOKEN)

    assert not is_in(visitor)
    assert installation.sessions() == 0


def test_a_disabled_account_is_out(installation: Installation, later: Later) -> None:
    person, visitor = enter(installation)
    installation.disable(person)
    later(ACCESS_TOKEN)

    assert not is_in(visitor)


def test_an_organization_disabled_in_the_server_ends_its_sessions(installation: Installation, later: Later) -> None:
    tenant = installation.open_tenant()
    person, visitor = installation.somebody("operador-municipal", tenant), installation.visitor()
    visitor.sign_in(person, f"/m/{tenant.slug}/entrar")
    assert is_in(visitor)
    installation.close_organization(tenant)
    later(ACCESS_TOKEN)

    assert not is_in(visitor)


def test_a_suspended_municipality_lets_nobody_go_on(installation: Installation) -> None:
    _, visitor = enter(installation)
    installation.suspend(installation.ours)

    assert not is_in(visitor)
    assert "suspendido" in visitor.get(DOOR).text


def test_nobody_is_out_while_the_identity_server_is_away(
    installation: Installation, watched: Watched, later: Later
) -> None:
    _, visitor = enter(installation)
    later(ACCESS_TOKEN)
    watched.away = True

    assert is_in(visitor)
    assert is_in(visitor)
    assert watched.refreshes == 1  # not asked again at each request


def test_after_four_hours_without_the_identity_server_sessions_end(
    installation: Installation, watched: Watched, later: Later
) -> None:
    _, visitor = enter(installation)
    watched.away = True
    later(GRACE_WITHOUT_SERVER + timedelta(minutes=1))

    assert not is_in(visitor)


def test_sessions_are_true_again_when_the_server_is_back(
    installation: Installation, watched: Watched, later: Later
) -> None:
    person, visitor = enter(installation)
    later(ACCESS_TOKEN)
    watched.away = True
    assert is_in(visitor)
    installation.take_membership(person, installation.ours)
    watched.away = False

    later(timedelta(seconds=31))

    assert not is_in(visitor)


def test_an_office_session_ends_when_nobody_touches_it(installation: Installation, later: Later) -> None:
    _, visitor = enter(installation, "admin-municipal")
    later(IDLE - timedelta(minutes=1))
    assert is_in(visitor)

    later(IDLE - timedelta(minutes=1))
    assert is_in(visitor)

    later(IDLE + timedelta(seconds=1))
    assert not is_in(visitor)


def test_a_heartbeat_does_not_count_as_somebody_being_there(installation: Installation, later: Later) -> None:
    _, visitor = enter(installation, "admin-municipal")
    token = visitor.csrf()
    for _ in range(3):
        later(timedelta(minutes=9))
        beat = visitor.client.post("/sesion/latido", base_url=visitor.base_url, headers={"X-CSRF-Token": token})
        assert beat.status_code == 204

    later(timedelta(minutes=4))

    assert not is_in(visitor)


def test_a_console_watched_without_touching_lasts_its_shift_and_no_longer(
    installation: Installation, watched: Watched, later: Later
) -> None:
    _, visitor = enter(installation)
    later(timedelta(hours=2))
    assert is_in(visitor)

    later(SHIFT - timedelta(hours=2))
    assert not is_in(visitor)


def test_a_refresh_never_asks_for_another_municipality(
    installation: Installation, watched: Watched, later: Later
) -> None:
    _, visitor = enter(installation)
    later(ACCESS_TOKEN)

    assert is_in(visitor)
    assert watched.scopes == [f"openid organization:{installation.ours.kc_alias}"]


def test_a_cookie_that_nobody_gave_is_nobody(installation: Installation) -> None:
    visitor = installation.visitor()
    visitor.client.set_cookie("pipc_dev", "inventada", domain="127.0.0.1")

    assert not is_in(visitor)


def test_preferences_come_back_at_the_next_sign_in(installation: Installation) -> None:
    person, visitor = enter(installation)

    saved = visitor.post("/perfil", data={"theme": "dark", "scale": "125", "shortcuts": "off"})
    assert saved.status_code == 303
    assert 'data-bs-theme="dark"' in visitor.get("/inicio").text

    again = installation.visitor()
    again.come_back(again.go_out_to(DOOR, person))
    page = again.get("/inicio").text
    assert 'data-bs-theme="dark"' in page
    assert 'data-scale="125"' in page


def test_a_person_is_known_only_where_they_work(installation: Installation) -> None:
    person, _ = enter(installation)
    found = {}
    for tenant in (installation.ours, installation.theirs):
        with unit_of_work(actor(tenant.id), read_only=True):
            found[tenant.slug] = (
                session()
                .connection()
                .scalar(text("select count(*) from app.people where subject = :subject"), {"subject": person.subject})
            )

    assert found == {"laprida": 1, "tres-arroyos": 0}


def test_own_sessions_are_listed_and_can_be_ended(installation: Installation) -> None:
    person, here = enter(installation)
    there = installation.visitor()
    there.client.environ_base["HTTP_USER_AGENT"] = "Equipo de la otra sala"
    there.come_back(there.go_out_to(DOOR, person))

    page = here.get("/perfil/sesiones")
    assert "Equipo de la otra sala" in page.text
    assert "ESTE EQUIPO" in page.text

    path = _other_session(page.text)
    assert here.post(path).status_code == 303
    assert not is_in(there)
    assert is_in(here)


def test_nobody_ends_the_session_of_somebody_else(installation: Installation) -> None:
    _, here = enter(installation)
    _, there = enter(installation, "supervisor")
    key = hashlib.sha256(there.cookie.encode()).hexdigest()

    assert here.post(f"/perfil/sesiones/{key}/cerrar").status_code == 404
    assert here.post("/perfil/sesiones/no-es-hexadecimal/cerrar").status_code == 404
    assert is_in(there)


def _other_session(page: str) -> str:
    (path,) = re.findall(r'action="(/perfil/sesiones/[0-9a-f]+/cerrar)"', page)
    return path
