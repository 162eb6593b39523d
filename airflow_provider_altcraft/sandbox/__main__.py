"""``python -m airflow_provider_altcraft.sandbox``: a loopback Altcraft in the foreground."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from airflow_provider_altcraft.sandbox import Sandbox


def main() -> int:
    """Start, print how to connect, and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_altcraft.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8090, help="0 = any free port; default 8090")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of its clock per real second; default 1")
    parser.add_argument("--token", default="sandbox-token-0123456789", help="the API token to accept")
    parser.add_argument("--seed", type=int, default=7, help="seed for faults with a probability; default 7")
    parser.add_argument("--coverage", action="store_true", help="print what is emulated, in Markdown, and exit")
    options = parser.parse_args()
    if options.coverage:
        from airflow_provider_altcraft.sandbox.coverage import page

        sys.stdout.write(page())
        return 0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Sandbox(token=options.token, speed=options.speed, seed=options.seed, port=options.port) as sandbox:
        sys.stdout.write(
            f"A loopback Altcraft is at {sandbox.url}; open it in a browser to see what arrives.\n"
            f"Connect Airflow to it:\n"
            f"  export AIRFLOW_CONN_ALTCRAFT_DEFAULT='{sandbox.connection_json}'\n"
            f"Or try it with curl:\n"
            f'  curl -s {sandbox.url}/api/v1.1/scampaigns/list -d \'{{"token": "{sandbox.token}"}}\'\n'
        )
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
