"""The second factor on demand: what counts as one, for whom and for how long."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from app.adapters.keycloak.headless import SignInStopped
from app.http.context import loader
from app.http.guards import is_elevated
from app.identity import totp
from app.identity.deadlines import ELEVATION
from app.kernel import clock
from app.kernel.actor import Actor
from tests.support.identity import Installation, Somebody, Visitor

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

DOOR = "/m/laprida/entrar"
ELEVATE = "/auth/elevar?volver=/sala/listas/"


@pytest.fixture
def entered(installation: Installation) -> tuple[Somebody, Visitor]:
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    visitor.sign_in(person, DOOR)
    return person, visitor


def actor_of(installation: Installation, visitor: Visitor) -> Actor:
    """Whom the product sees behind this browser."""
    cookie = {"Cookie": f"pipc_dev={visitor.cookie}"}
    with installation.app.test_request_context("/inicio", base_url=visitor.base_url, headers=cookie) as context:
        found = loader().session(context.request)
    assert found is not None
    return found.actor


def test_a_password_alone_is_no_second_factor(installation: Installation, entered: tuple[Somebody, Visitor]) -> None:
    _, visitor = entered

    assert not is_elevated(actor_of(installation, visitor))


def test_a_code_elevates_the_session_for_ten_minutes(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    before = visitor.cookie

    answer = visitor.come_back(visitor.go_out_to(ELEVATE, person, {"otp": person.code}))

    assert (answer.status_code, answer.location) == (303, "/sala/listas/")
    assert visitor.cookie != before
    actor = actor_of(installation, visitor)
    assert is_elevated(actor)
    assert actor.elevated_until is not None
    assert abs(actor.elevated_until - clock.now() - ELEVATION) < timedelta(seconds=20)
    assert [sorted(page.fields) for page in person.browser.pages[-1:]] == [["otp", "selectedCredentialId"]]
    assert installation.audited(installation.ours, "auth:session:elevate")
    assert installation.sessions() == 1


def test_the_old_cookie_is_worth_nothing_after_elevating(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    old = visitor.cookie
    visitor.elevate(person)

    stale = installation.visitor()
    stale.client.set_cookie("pipc_dev", old, domain="127.0.0.1")

    assert stale.get("/inicio").status_code == 303


def test_elevation_ends(installation: Installation, entered: tuple[Somebody, Visitor]) -> None:
    person, visitor = entered
    visitor.elevate(person)
    with installation.world.admin() as connection:
        connection.execute("update app.web_sessions set elevated_until = elevated_until - %s", [ELEVATION])

    assert not is_elevated(actor_of(installation, visitor))


def test_elevation_neither_survives_in_a_new_sign_in_nor_lengthens_the_shift(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    ends = _ends(installation)
    visitor.elevate(person)
    assert _ends(installation) == ends

    visitor.come_back(visitor.go_out_to(DOOR, person))

    assert not is_elevated(actor_of(installation, visitor))


def _ends(installation: Installation) -> datetime:
    with installation.world.admin() as connection:
        ((ends,),) = connection.execute("select expires_at from app.web_sessions where kind <> 'prelogin'").fetchall()
    return ends.astimezone(UTC)  # type: ignore[no-any-return]


def test_a_request_stripped_of_the_second_factor_is_refused(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    asked = visitor.get(ELEVATE).location

    answer = person.browser.follow(_without(asked, "claims"), f"{visitor.base_url}/auth/callback", {})
    refused = visitor.come_back(answer)

    assert refused.status_code == 403
    assert "segundo factor" in refused.text
    assert not is_elevated(actor_of(installation, visitor))
    assert "without-second-factor" in installation.audited(installation.ours, "auth:session:refuse")[0][1]


def _without(url: str, name: str) -> str:
    parts = urlsplit(url)
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key != name]
    assert len(kept) == len(parse_qsl(parts.query)) - 1
    return parts._replace(query=urlencode(kept)).geturl()


def test_the_second_factor_of_somebody_else_is_refused(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    _, visitor = entered
    other = installation.somebody("supervisor", installation.ours)

    refused = visitor.come_back(visitor.go_out_to(ELEVATE, other, {**other.answers, "otp": other.code}))

    assert refused.status_code == 403
    assert "La confirmación es de otra cuenta" in refused.text
    actor = actor_of(installation, visitor)
    assert actor.user_id != other.spec.username
    assert not is_elevated(actor)


def test_an_elevation_that_comes_back_to_an_ended_session_is_refused(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    answer = visitor.go_out_to(ELEVATE, person, {"otp": person.code})
    visitor.post("/salir")

    assert visitor.come_back(answer).status_code == 400
    assert installation.sessions() == 0


def test_a_code_works_once(installation: Installation, entered: tuple[Somebody, Visitor]) -> None:
    person, visitor = entered
    code = person.code
    visitor.come_back(visitor.go_out_to(ELEVATE, person, {"otp": code}))

    with pytest.raises(SignInStopped) as stop:
        visitor.go_out_to(ELEVATE, person, {"otp": code})

    assert "no es válido o ya se usó" in stop.value.text


def test_somebody_without_a_second_factor_is_led_to_set_one_up(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    for credential in installation.provision.get(f"/users/{person.subject}/credentials"):
        if credential["type"] == "otp":
            installation.provision.delete(f"/users/{person.subject}/credentials/{credential['id']}")

    asked = visitor.get(ELEVATE).location
    with pytest.raises(SignInStopped) as stop:
        person.browser.follow(asked, f"{visitor.base_url}/auth/callback", {})
    assert "Configurar el segundo factor" in stop.value.text

    offered = person.browser.pages[-1].fields["totpSecret"]
    code = totp.code_at(_base32(offered), clock.now().timestamp())
    answer = person.browser.follow(
        asked, f"{visitor.base_url}/auth/callback", {"totp": code, "totpSecret": offered, "userLabel": "Teléfono"}
    )
    assert visitor.come_back(answer).status_code == 303
    assert is_elevated(actor_of(installation, visitor))


def _base32(raw: str) -> str:
    return base64.b32encode(raw.encode()).decode()


def test_elevation_asks_to_be_signed_in(installation: Installation) -> None:
    answer = installation.visitor().get("/auth/elevar")

    assert (answer.status_code, urlsplit(answer.location).path) == (303, "/")


def test_where_a_second_factor_is_required_a_password_does_not_let_in(installation: Installation) -> None:
    installation.plug(require_second_factor=True)
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()
    asked = visitor.get(DOOR).location

    answer = person.browser.follow(_without(asked, "claims"), f"{visitor.base_url}/auth/callback", person.answers)

    assert visitor.come_back(answer).status_code == 403
    assert installation.sessions() == 0


def test_where_a_second_factor_is_required_password_and_code_let_in(installation: Installation) -> None:
    installation.plug(require_second_factor=True)
    person, visitor = installation.somebody("supervisor", installation.ours), installation.visitor()

    answer = visitor.come_back(visitor.go_out_to(DOOR, person, {**person.answers, "otp": person.code}))

    assert answer.status_code == 303
    assert is_elevated(actor_of(installation, visitor))
