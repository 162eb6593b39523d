"""The sandbox in a process of its own, and the judge's view of it: who was sent what, how often."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from typing import Any
from urllib.request import Request, urlopen

TOKEN = "sandbox-token-0123456789"


class Altcraft:
    """A sandbox process, and its controls.

    :param speed: seconds of its clock per real second.
    """

    def __init__(self, *, speed: float) -> None:
        command = [sys.executable, "-m", "airflow_provider_altcraft.sandbox", "--port", "0", "--speed", str(speed)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = self._process.stdout.readline()
        self.url = re.search(r"http://[\d.:]+", said).group()

    def __enter__(self) -> Altcraft:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def connection(self, **extra: Any) -> str:
        """An Airflow connection to it, as JSON."""
        port = int(self.url.rsplit(":", 1)[1])
        values = {"conn_type": "altcraft", "host": "127.0.0.1", "schema": "http", "port": port}
        return json.dumps({**values, "password": TOKEN, "extra": extra})

    def reset(self, **behaviour: Any) -> None:
        """Be as new, and behave so."""
        self._ask("POST", "reset")
        self._ask("POST", "behaviour", {**USUAL, **behaviour})

    def fault(self, **rule: Any) -> None:
        """Put a rule into force."""
        self._ask("POST", "faults", rule)

    def advance(self, seconds: float) -> None:
        """Let time pass at Altcraft."""
        self._ask("POST", "advance", {"seconds": seconds})

    def run_at(self, speed: float) -> None:
        """Have another speed."""
        self._ask("POST", "speed", {"speed": speed})

    def mend(self) -> None:
        """Lift all faults."""
        self._ask("DELETE", "faults")

    def fall_quiet(self) -> None:
        """Return once no request is worked on any more."""
        while self._ask("GET", "state")["underway"]:
            time.sleep(0.01)

    def calls(self, endpoint: str) -> list[dict[str, Any]]:
        """Calls of an endpoint."""
        return self._ask("GET", f"journal?endpoint={endpoint}")

    def launches(self) -> Counter[int]:
        """Launches by mailing."""
        return Counter(launch["mailing_id"] for launch in self._ask("GET", "deliveries")["launches"])

    def active(self) -> dict[int, bool]:
        """Whether each mailing is active."""
        return {mailing["id"]: mailing["is_active"] for mailing in self._ask("GET", "state")["mailings"]}

    def sent(self) -> dict[int, list[int]]:
        """How often each profile was sent a mailing, by mailing."""
        times: dict[int, list[int]] = defaultdict(list)
        for key, count in self._ask("GET", "deliveries")["sent"].items():
            times[int(key.split("/")[0])].append(count)
        return times

    def entries(self) -> Counter[str]:
        """Entries into scenarios, by ``<scenario>/<profile>``."""
        return Counter(self._ask("GET", "deliveries")["entries"])

    def campaign(self, campaign_id: int) -> str:
        """The state of a campaign."""
        return next(c["state"] for c in self._ask("GET", "state")["campaigns"] if c["id"] == campaign_id)

    def add_mailing(self, mailing_id: int, **details: Any) -> None:
        """Furnish it with another mailing."""
        self._ask("POST", "mailings", {"mailing_id": mailing_id, **details})

    def add_segment(self, segment_id: int) -> None:
        """Furnish it with another segment."""
        self._ask("POST", "segments", {"segment_id": segment_id})

    def add_scenario(self, workflow_id: int) -> None:
        """Furnish it with another scenario."""
        self._ask("POST", "scenarios", {"workflow_id": workflow_id})

    def runs(self, mailing_id: int) -> list[dict[str, str]]:
        """The runs of a mailing: when each began and ends."""
        return next(mailing["runs"] for mailing in self._ask("GET", "state")["mailings"] if mailing["id"] == mailing_id)

    def call(self, endpoint: str, params: dict[str, Any], request_id: str) -> None:
        """What somebody else does with the same token."""
        headers = {"Content-Type": "application/json", "Request-ID": request_id, "Authorization": f"Bearer {TOKEN}"}
        body = json.dumps(params).encode()
        with urlopen(Request(f"{self.url}/api/v1.1/{endpoint}", body, headers, method="POST"), timeout=10) as answer:
            assert json.load(answer)["error"] == 0

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/_sandbox/{what}", json.dumps(body or {}).encode(), headers, method=method)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)


USUAL = {
    "deduplication": "request-id",
    "deduplication_window": 86_400,
    "request_id_header": "Request-ID",
    "duplicate_header": "Duplicate-Request",
    "replay_errors": True,
    "key_includes_path": False,
    "duplicate_while_running": "wait",
    "error_http_status": "200",
    "broadcast_stays_active": True,
    "mailing_already_running": "accept",
}
"""The behaviour that schedules start from."""
