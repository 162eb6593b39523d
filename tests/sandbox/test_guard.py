"""Who may use the sandbox."""

from __future__ import annotations

import socket

import pytest
import requests

from airflow_provider_altcraft.sandbox import Sandbox

LIST = "/api/v1.1/scampaigns/list"


def get(sandbox, host, path="/_sandbox/state"):
    return requests.get(f"{sandbox.url}{path}", headers={"Host": host}, timeout=5)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_it_answers_to_its_own_names(sandbox, name):
    host = f"{name}:{sandbox.port}"
    assert get(sandbox, host).status_code == 200
    body = {"token": sandbox.token}
    answer = requests.post(f"{sandbox.url}{LIST}", json=body, headers={"Host": host}, timeout=5)
    assert answer.json()["error"] == 0


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
@pytest.mark.parametrize("path", ["/", "/_sandbox/journal", "/_sandbox/state"])
def test_it_answers_to_no_other_name(sandbox, host, path):
    assert get(sandbox, host.format(port=sandbox.port), path).status_code == 421


def test_the_api_answers_to_no_other_name(sandbox, post):
    answer = post("campaigns/broadcasts/start", {"Host": f"evil.example:{sandbox.port}"}, id=7)
    assert answer.status_code == 421
    assert sandbox.deliveries.total_launches == 0
    assert len(sandbox.journal) == 0


def test_it_answers_no_request_without_a_host(sandbox):
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as line:
        line.sendall(b"GET /_sandbox/state HTTP/1.0\r\n\r\n")
        assert line.recv(100).split()[1] == b"421"


@pytest.mark.parametrize(
    "how",
    [
        {"data": {"speed": 9}},
        {"data": '{"speed": 9}', "headers": {"Content-Type": "text/plain"}},
        {"data": '{"speed": 9}'},
        {"files": {"speed": b"9"}},
        {"json": {"speed": 9}, "headers": {"Origin": "http://evil.example"}},
        {"json": {"speed": 9}, "headers": {"Origin": "null"}},
        {"json": {"speed": 9}, "headers": {"Origin": "http://127.0.0.1:1"}},
        {"json": {"speed": 9}, "headers": {"Sec-Fetch-Site": "cross-site"}},
        {"json": {"speed": 9}, "headers": {"Sec-Fetch-Site": "same-site"}},
    ],
)
def test_a_page_of_another_site_cannot_control_it(sandbox, how):
    assert requests.post(f"{sandbox.url}/_sandbox/speed", timeout=5, **how).status_code in (403, 415)
    assert sandbox.clock.speed == 0


def test_a_page_of_another_site_cannot_reset_it(sandbox, post):
    post("scampaigns/list")
    url = f"{sandbox.url}/_sandbox/reset"
    assert requests.post(url, headers={"Origin": "http://evil.example"}, timeout=5).status_code == 403
    assert len(sandbox.journal) == 1


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "same-origin"}])
def test_its_own_page_and_tools_can_control_it(sandbox, headers):
    headers = {name: value.format(port=sandbox.port) for name, value in headers.items()}
    assert requests.post(f"{sandbox.url}/_sandbox/speed", json={"speed": 9}, headers=headers, timeout=5).ok
    assert requests.post(f"{sandbox.url}/_sandbox/advance", json={"seconds": 1}, headers=headers, timeout=5).ok
    assert requests.delete(f"{sandbox.url}/_sandbox/faults", headers=headers, timeout=5).ok
    assert requests.post(f"{sandbox.url}/_sandbox/reset", headers=headers, timeout=5).ok


def test_two_sandboxes_do_not_answer_for_each_other(sandbox):
    with Sandbox() as other:
        assert get(sandbox, f"127.0.0.1:{other.port}").status_code == 421
