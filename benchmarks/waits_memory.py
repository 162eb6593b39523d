"""What a wait costs in memory, by the number of rows that its tasks tell of.

``python -m benchmarks.waits_memory --tasks 100 --items 10000`` waits for so many finished tasks with a result of so
many items each, on a worker and in a trigger. Each runs in a process of its own, against a server in another; memory is
the peak of the resident set over that after imports, and lag is how long the event loop was held at most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def main() -> int:
    """Run each way in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--way", choices=[*WAYS, "server"], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way == "server":
        return serve(arguments.items)
    if arguments.way:
        print(json.dumps(WAYS[arguments.way](arguments.tasks, arguments.port)))
        return 0
    sizes = ["--tasks", str(arguments.tasks), "--items", str(arguments.items)]
    program = [sys.executable, "-m", "benchmarks.waits_memory", *sizes, "--way"]
    with subprocess.Popen([*program, "server"], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            for way in WAYS:
                done = subprocess.run([*program, way, "--port", port], stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"{way:<8} {arguments.tasks} tasks of {arguments.items:,} items: {found['seconds']:.1f} s,"
                    f" +{found['megabytes']:.0f} MB, lag {found['lag']:.3f} s"
                )
        finally:
            server.terminate()
    return 0


def serve(items: int) -> int:
    """Every task is finished, and tells of so many rows."""
    result = {
        "error": 0,
        "error_text": "",
        "result": [{"profile_id": f"{number:024d}", "error": 0, "error_text": ""} for number in range(items)],
    }
    answer = {"data": {"status": "completed", "progress": 100, "result": result}, "error": 0, "error_text": ""}
    body = json.dumps(answer).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
    return 0


def on_a_worker(tasks: int, port: int) -> dict[str, float]:
    """As an operator waits that does not defer."""
    from airflow_provider_altcraft.api.client import AltcraftClient
    from airflow_provider_altcraft.api.settings import Settings
    from airflow_provider_altcraft.waiting.policy import Deadlines
    from airflow_provider_altcraft.waiting.polling import Poller, wait
    from airflow_provider_altcraft.waiting.targets import TaskTarget

    settings = Settings(f"http://127.0.0.1:{port}", "token")
    target = TaskTarget([f"task_{number}" for number in range(tasks)])
    poller = Poller(target, settings, Deadlines(), poll_interval=1, log=lambda line: None)
    before, began = peak(), time.monotonic()
    with AltcraftClient(settings) as client:
        wait(poller, client)
    return {"megabytes": peak() - before, "seconds": time.monotonic() - began, "lag": 0.0}


def in_a_trigger(tasks: int, port: int) -> dict[str, float]:
    """As the triggerer waits."""
    connection = {"conn_type": "altcraft", "host": "127.0.0.1", "port": port, "schema": "http", "password": "token"}
    os.environ["AIRFLOW_CONN_ALTCRAFT_DEFAULT"] = json.dumps(connection)
    from airflow_provider_altcraft.triggers.altcraft import AltcraftTrigger

    ids = [f"task_{number}" for number in range(tasks)]
    trigger = AltcraftTrigger("altcraft_default", {"kind": "tasks", "ids": ids}, 1)
    lags = [0.0]

    async def beat() -> None:
        while True:
            asleep = time.monotonic()
            await asyncio.sleep(0.005)
            lags.append(time.monotonic() - asleep - 0.005)

    before, began = 0.0, 0.0

    async def run() -> list[Any]:
        # What is imported and connected at the first call is no part of the wait.
        [event async for event in AltcraftTrigger("altcraft_default", {"kind": "tasks", "ids": ["one"]}, 1).run()]
        nonlocal before, began
        before, began = peak(), time.monotonic()
        beating = asyncio.create_task(beat())
        events = [event async for event in trigger.run()]
        beating.cancel()
        return events

    (event,) = asyncio.run(run())
    if event.payload["decision"] != "done":
        raise SystemExit(str(event.payload)[:500])
    return {"megabytes": peak() - before, "seconds": time.monotonic() - began, "lag": max(lags)}


def peak() -> float:
    """Megabytes of the resident set, at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


WAYS = {"worker": on_a_worker, "trigger": in_a_trigger}

if __name__ == "__main__":
    sys.exit(main())
