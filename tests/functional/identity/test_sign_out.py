"""Going out: by the button, and by the notice of the identity server, which must be a true one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from queue import Queue
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from app.adapters.keycloak.oidc import connect
from app.identity import service
from app.identity.store import REVOKED
from app.kernel.ports import TokenVerifier
from tests.support.identity import Installation, Somebody, Visitor
from tests.support.tokens import Realm, logout

# One realm serves every test of a run: two workers must not change it at once.
pytestmark = [pytest.mark.keycloak, pytest.mark.xdist_group("keycloak")]

DOOR = "/m/laprida/entrar"
NOTICE = "/auth/backchannel-logout"


@pytest.fixture
def entered(installation: Installation) -> tuple[Somebody, Visitor]:
    person, visitor = installation.somebody("operador-municipal", installation.ours), installation.visitor()
    visitor.sign_in(person, DOOR)
    return person, visitor


@pytest.fixture
def realm(installation: Installation) -> Realm:
    """An invented realm whose notices the product takes for its own."""
    made = Realm()
    plug_verifier(installation, made.verifier())
    return made


def plug_verifier(installation: Installation, verifier: TokenVerifier) -> None:
    provider, _ = connect(installation.settings)
    service.plug(installation.settings, provider, verifier)


def notify(visitor: Visitor, token: str) -> int:
    return visitor.client.post(NOTICE, base_url=visitor.base_url, data={"logout_token": token}).status_code


def is_in(visitor: Visitor) -> bool:
    return visitor.get("/inicio").status_code == 200


def test_going_out_ends_the_session_here_and_there(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered

    answer = visitor.post("/salir")

    assert answer.status_code == 303
    asked = dict(parse_qsl(urlsplit(answer.location).query))
    assert asked["post_logout_redirect_uri"] == f"{installation.settings.base_url}/"
    assert not visitor.cookie
    assert installation.sessions() == 0
    assert installation.audited(installation.ours, "auth:session:end")
    gone = requests.get(answer.location, allow_redirects=False, timeout=10)
    assert (gone.status_code, gone.headers["Location"]) == (302, f"{installation.settings.base_url}/")
    assert installation.provision.get(f"/users/{person.subject}/sessions") == []


def test_going_out_without_a_session_leads_to_the_choice(installation: Installation) -> None:
    visitor = installation.visitor()

    answer = visitor.client.post("/salir", base_url=visitor.base_url)

    assert (answer.status_code, answer.location) == (303, "/")


def test_another_site_cannot_make_somebody_go_out(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    _, visitor = entered

    refused = visitor.client.post("/salir", base_url=visitor.base_url, headers={"Sec-Fetch-Site": "cross-site"})

    assert refused.status_code == 403
    assert is_in(visitor)


def test_a_notice_of_the_real_server_ends_every_session_of_the_person(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered
    other_browser = installation.visitor()
    other_browser.come_back(other_browser.go_out_to(DOOR, person))
    somebody_else = installation.visitor()
    somebody_else.sign_in(installation.somebody("supervisor", installation.ours), DOOR)
    notices = _listen(installation)

    installation.admin.end_sessions(person.subject)

    token = notices()
    assert notify(visitor, token) == 200
    assert not is_in(visitor)
    assert not is_in(other_browser)
    assert is_in(somebody_else)
    revoked = [json.loads(message) for channel, message in installation.world.nudge.sent if channel == REVOKED]
    assert len(revoked[-1]["keys"]) == 2
    assert notify(visitor, token) == 400  # each notice works once


def _listen(installation: Installation) -> Callable[[], str]:
    """Receive what Keycloak posts to the product's address. Returns a function that waits for one notice."""
    got: Queue[str] = Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.end_headers()
            got.put(parse_qs(body)["logout_token"][0])

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    parts = urlsplit(installation.settings.base_url)
    server = http.server.HTTPServer((parts.hostname or "", parts.port or 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def wait() -> str:
        try:
            return got.get(timeout=10)
        finally:
            server.shutdown()
            server.server_close()

    return wait


def test_a_notice_about_the_person_ends_all_their_sessions(
    installation: Installation, entered: tuple[Somebody, Visitor], realm: Realm
) -> None:
    person, visitor = entered

    assert notify(visitor, realm.sign(logout(sub=person.subject), typ="logout+jwt")) == 200
    assert not is_in(visitor)
    assert installation.audited(installation.ours, "auth:session:end")


def test_a_notice_about_one_server_session_ends_that_one(
    installation: Installation, entered: tuple[Somebody, Visitor], realm: Realm
) -> None:
    _, visitor = entered
    with installation.world.admin() as connection:
        ((sid,),) = connection.execute("select kc_sid from app.web_sessions where kind = 'municipal'").fetchall()

    assert notify(visitor, realm.sign(logout(sub=None, sid="otra", jti="a"), typ="logout+jwt")) == 200
    assert is_in(visitor)
    assert notify(visitor, realm.sign(logout(sub=None, sid=sid, jti="b"), typ="logout+jwt")) == 200
    assert not is_in(visitor)


def test_a_notice_about_nobody_here_is_accepted(installation: Installation, realm: Realm) -> None:
    visitor = installation.visitor()

    assert notify(visitor, realm.sign(logout(sub="nadie"), typ="logout+jwt")) == 200


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "logout+jwt", "kid": "otra"}], ids=str)
def test_a_false_notice_ends_nothing(
    installation: Installation, entered: tuple[Somebody, Visitor], realm: Realm, header: dict[str, str]
) -> None:
    person, visitor = entered

    assert notify(visitor, realm.sign(logout(sub=person.subject), **header)) == 400
    assert notify(visitor, realm.sign(logout(sub=person.subject, nonce="n"), typ="logout+jwt")) == 400
    assert notify(visitor, realm.sign(logout(sub=person.subject, aud="otra"), typ="logout+jwt")) == 400
    assert notify(visitor, "") == 400
    assert is_in(visitor)


def test_a_notice_signed_by_another_realm_ends_nothing(
    installation: Installation, entered: tuple[Somebody, Visitor]
) -> None:
    person, visitor = entered

    assert notify(visitor, Realm().sign(logout(sub=person.subject), typ="logout+jwt")) == 400
    assert is_in(visitor)
