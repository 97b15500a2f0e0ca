"""Attacks on the running stack: each is refused with a 4xx in the one error shape and tells nothing of the inside."""

from __future__ import annotations

import gzip
import http.client
import json
from urllib.parse import urlsplit

import requests

from infra.local.tokens import kept_token
from tests.fuzz.attacks import TICKS, attacks, first_cursor, is_refused, send
from tests.integration.client import await_answer
from tests.integration.conftest import RunningStack


def test_every_attack_is_refused(stack: RunningStack) -> None:
    await_answer(stack.url, TICKS, lambda found: found["next_cursor"], limit=1)
    token = kept_token(stack.state_dir)
    outcomes = [(attack, send(stack.url, attack, token)) for attack in attacks(first_cursor(stack.url))]
    wrong = [(attack.name, outcome) for attack, outcome in outcomes if not is_refused(attack, outcome)]
    assert wrong == []
    assert len(outcomes) >= 60


def test_the_token_of_the_run_is_kept_for_its_user_alone(stack: RunningStack) -> None:
    assert (stack.state_dir / "api-token").stat().st_mode & 0o777 == 0o600
    token = kept_token(stack.state_dir)
    assert len(token) >= 40
    assert token not in stack.logs()
    reply = requests.get(f"{stack.url}/api/symbols", headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "private, no-cache")


def test_answers_come_packed_through_the_gateway(stack: RunningStack) -> None:
    parts = urlsplit(stack.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.request("GET", "/api/openapi.json", headers={"Accept": "*/*", "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    packed = answer.read()
    connection.close()
    assert answer.getheader("Content-Encoding") == "gzip"
    plain = requests.get(f"{stack.url}/api/openapi.json", headers={"Accept-Encoding": "identity"}, timeout=20)
    assert json.loads(gzip.decompress(packed)) == plain.json()
    assert len(packed) < len(plain.content) / 4


def test_what_has_not_changed_is_not_sent_again(stack: RunningStack) -> None:
    first = requests.get(f"{stack.url}/api/openapi.json", timeout=20)
    headers = {"If-None-Match": first.headers["ETag"]}
    again = requests.get(f"{stack.url}/api/openapi.json", headers=headers, timeout=20)
    assert (again.status_code, again.content) == (304, b"")
    assert requests.head(f"{stack.url}/api/openapi.json", timeout=20).status_code == 200


def test_the_gateways_own_refusals_have_the_shape_and_a_request_id(stack: RunningStack) -> None:
    reply = requests.get(f"{stack.url}/api/nothing/at/all", timeout=20)
    assert reply.status_code == 404
    error = reply.json()["error"]
    assert (error["code"], reply.headers["Cache-Control"]) == ("not_found", "no-store")
    assert error["request_id"]
