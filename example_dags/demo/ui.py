"""A full Airflow with the example DAGs, and the sandbox, to explore in a browser."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from stage import AIRFLOW, RUN, WAREHOUSE, environment
from warehouse import build

from airflow_provider_altcraft.sandbox import Sandbox


def main() -> int:
    """Serve until interrupted."""
    home = RUN / "ui"
    shutil.rmtree(home, ignore_errors=True)
    RUN.mkdir(exist_ok=True)
    build(WAREHOUSE)
    with Sandbox(speed=5, port=8090) as sandbox:
        sys.stdout.write(
            f"Altcraft sandbox  {sandbox.url}\n"
            "Airflow           http://127.0.0.1:8080 (once its log says it is ready; no password)\n"
            "Unpause altcraft_main_job in Airflow to start last night's run. Ctrl+C stops both.\n"
        )
        sys.stdout.flush()
        process = subprocess.Popen([AIRFLOW, "standalone"], env=environment(sandbox, home))  # noqa: S603
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
            return 0


if __name__ == "__main__":
    sys.exit(main())
