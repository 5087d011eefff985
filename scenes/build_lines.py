"""`python -m scenes.build_lines DIR`: a build in a process of its own that tells how far it is, a JSON line each.

    {"stage": "tiles", "done": 3, "total": 16}
    {"build": "0f3a…", "fresh": true, "findings": 12}      or      {"error": "…", "mend": "…"}
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from scenes.compile import compile_park
from twin.errors import TwinError
from twin.finding import Finding
from twin.parkfile import load_park, read_park


def main(folder: Path) -> int:
    """Build a park folder; 0 when the build stands."""
    try:
        spec = load_park(folder, strict=False)
        faults = tuple(Finding(f.severity, f.what, f"park.toml:{f.line}", f.mend) for f in read_park(folder)[1])
        result = compile_park(spec, faults=faults, keeps_former=True,
                              progress=lambda stage, done, total: _tell(stage=stage, done=done, total=total))
    except TwinError as error:
        _tell(error=error.what, mend=error.mend)
        return 1
    except OSError as error:
        _tell(error=f"the build could not be written ({error})", mend="free disk space or mend the folder's rights")
        return 1
    _tell(build=result.build, fresh=result.is_fresh, findings=len(result.findings))
    return 0


def _tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
