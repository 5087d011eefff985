"""Steps of a build that is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NAPS = """
import sys, time
from pathlib import Path
from twin.steps import StepStore
from twin.workshop import LocalPool, Workshop

class Nap:
    name, key, files = "napping", "", ()
    def do(self, here):
        Path(sys.argv[1]).open("a").write("asleep\\n")
        time.sleep(600)

if __name__ == "__main__":
    try:
        list(Workshop(LocalPool(2), StepStore(None)).finish([Nap() for _ in range(6)]))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_steps_under_way_in_other_processes_end_with_the_build(tmp_path: Path) -> None:
    script, asleep = tmp_path / "naps.py", tmp_path / "asleep"
    script.write_text(NAPS)
    with (tmp_path / "told").open("wb") as told:
        process = subprocess.Popen([sys.executable, str(script), str(asleep)], stdout=told, stderr=told,
                                   env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # as in a terminal
        while not (asleep.is_file() and asleep.read_text().count("\n") == 2):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 130
    assert (tmp_path / "told").read_text() == ""
