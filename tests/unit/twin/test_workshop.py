"""Steps of a build that is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


DEATHS = """
import os, sys, time
from twin.errors import TwinError
from twin.steps import StepStore
from twin.workshop import LocalPool, Workshop

class Death:
    name, key, files = "dying", "", ()
    def do(self, here):
        os._exit(9)

def steps():
    for k in range(6):
        time.sleep(float(sys.argv[1]))
        yield Death()

if __name__ == "__main__":
    try:
        list(Workshop(LocalPool(2), StepStore(None)).finish(steps()))
    except TwinError as error:
        print(error)
"""


@pytest.mark.parametrize("pause", [0.0, 1.0])
def test_a_process_that_was_ended_is_told_whenever_that_was(tmp_path: Path, pause: float) -> None:
    """Also where the next step is handed over after it died."""
    script = tmp_path / "deaths.py"
    script.write_text(DEATHS)
    told = subprocess.run([sys.executable, str(script), str(pause)], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert "ended from outside while dying" in told.stdout
