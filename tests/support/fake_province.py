"""The province as a node sees it: tokens, desired state, heartbeats, batches, leases and blobs, with faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
from joserfc import jwt
from joserfc.jwk import ECKey

_CONTRACT = Path(__file__).resolve().parents[2] / "workers" / "contract"


def contract(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads((_CONTRACT / f"{name}.schema.json").read_text()))


class FakeProvince:
    """State and faults of the fake; start it as a context."""

    def __init__(self) -> None:
        self.desired: dict[str, Any] = {}
        self.orders: list[dict[str, Any]] = []
        self.items: list[dict[str, Any]] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.batches: list[dict[str, Any]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.blobs: dict[str, bytes] = {}
        self.log: list[tuple[str, str]] = []
        self.leases: dict[str, tuple[str, int]] = {}
        self.violations: list[str] = []
        self.reject: dict[str, str] = {}
        self.lose_answers = 0
        self.down = False
        self.expire_tokens = False
        self.public: dict[str, Any] = {}
        self._tokens: set[str] = set()
        self._lock = threading.Lock()
        self._batch_schema, self._beat_schema = contract("batch"), contract("heartbeat")

    def __enter__(self) -> FakeProvince:
        province = self

        class Handler(_Handler):
            fake = province

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        with self._lock:
            return [item for item in self.items if item["type"] == kind]

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        claims = jwt.decode(form["client_assertion"][0], ECKey.import_key(self.public), algorithms=["ES256"]).claims
        if (
            claims["iss"] != claims["sub"]
            or claims["exp"] < time.time()
            or form["grant_type"] != ["client_credentials"]
        ):
            return 401, {"error": "invalid_client"}
        token = f"token-{len(self._tokens)}"
        self._tokens.add(token)
        return 200, {"access_token": token, "expires_in": 300, "scope": form["scope"][0]}

    def knows(self, header: str | None) -> bool:
        if self.expire_tokens:
            self.expire_tokens = False
            self._tokens.clear()
        return header is not None and header.removeprefix("Bearer ") in self._tokens

    def take_batch(self, batch: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.violations += [str(error) for error in self._batch_schema.iter_errors(batch)]
        with self._lock:
            self.batches.append(batch)
            session = batch["session"]
            if session and self.leases.get(session["session_id"], ("", 0))[1] != session["epoch"]:
                return 409, {"code": "stale_epoch", "title": "Época vencida"}
            accepted, rejected = [], []
            for item in batch["items"]:
                missing = [
                    item[name]
                    for name in ("crop_sha", "image_sha", "sha256")
                    if item.get(name) and item[name] not in self.blobs
                ]
                if missing:
                    self.violations.append(f"item before its blob: {missing}")
                code = self.reject.get(item["type"])
                if code:
                    rejected.append({"n": item["n"], "code": code, "title": code})
                    continue
                accepted.append(item["n"])
                self._store(item)
            return 200, {"accepted": accepted, "rejected": rejected, "orders": self.orders}

    def _store(self, item: dict[str, Any]) -> None:
        """Idempotent by what identifies an item, as the real intake."""
        plain = {name: value for name, value in item.items() if name != "n"}
        key = str(item.get("key") or json.dumps(plain, sort_keys=True))
        if key not in self.stored:
            self.stored[key] = plain
            self.items.append(plain)
        if item["type"] == "order_result":
            self.orders = [order for order in self.orders if order["id"] != item["order_id"]]

    def take_heartbeat(self, beat: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.violations += [str(error) for error in self._beat_schema.iter_errors(beat)]
        self.heartbeats.append(beat)
        return 200, {"desired_version": self.desired.get("version", 0), "orders": self.orders, "server_time": "x"}

    def take_lease(self, session: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            holder, epoch = self.leases.get(session, ("", 0))
            if body["epoch"] is None:
                if holder:
                    return 409, {"code": "lease_held", "title": "Ocupada"}
                self.leases[session] = (body["holder"], epoch + 1)
                return 200, {"epoch": epoch + 1, "expires_at": "x"}
            if (body["holder"], body["epoch"]) != (holder, epoch):
                return 409, {"code": "lease_held", "title": "Ocupada"}
            return 200, {"epoch": epoch, "expires_at": "x"}


class _Handler(BaseHTTPRequestHandler):
    fake: FakeProvince
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests read the fake's own log."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        if self.fake.lose_answers > 0:
            self.fake.lose_answers -= 1
            self.close_connection = True
            return
        data = b"" if status == 304 else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _handle(self) -> None:
        fake, body = self.fake, self._body()
        path = urlsplit(self.path).path
        if fake.down:
            self.close_connection = True
            return
        if path == "/token":
            self._answer(*fake.token(parse_qs(body.decode())))
            return
        fake.log.append((self.command, path))
        if not fake.knows(self.headers.get("Authorization")):
            self._answer(401, {"code": "unauthorized"})
            return
        self._route(path.removeprefix("/api/v1/nodes/self/"), body)

    def _route(self, path: str, body: bytes) -> None:
        fake = self.fake
        if path == "desired":
            since = int(parse_qs(urlsplit(self.path).query)["since"][0])
            self._answer(304 if fake.desired.get("version") == since else 200, fake.desired)
        elif path == "heartbeat":
            self._answer(*fake.take_heartbeat(json.loads(body)))
        elif path == "batches":
            self._answer(*fake.take_batch(json.loads(body)))
        elif path.startswith("leases/"):
            self._answer(*fake.take_lease(path.removeprefix("leases/"), json.loads(body)))
        elif path.startswith("blobs/"):
            sha = path.removeprefix("blobs/")
            if hashlib.sha256(body).hexdigest() != sha:
                fake.violations.append(f"blob {sha} is not its content")
            fake.blobs[sha] = body
            self._answer(201, {})
        else:
            self._answer(404, {"code": "not_found"})

    do_GET = do_POST = do_PUT = do_HEAD = _handle
