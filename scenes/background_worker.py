"""The process that reads one scan or reality mesh, so that its size, memory or crash never reaches the build.

Run as `python -m scenes.background_worker`: a pickled request on stdin, JSON progress lines on stdout, the result in the
folder that the request names.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gis.crs import MissingCrs
from gis.surveyfiles import each_file, once
from scenes.background_job import OUT_OF_MEMORY, RESULT, Refused, Request, Surveyed
from twin.errors import TwinError
from twin.finding import Finding


def serve(request: Request, tell: Callable[[int, int], Any] = lambda done, total: None) -> object:
    """What is asked. Libraries are loaded for what is asked alone: that is most of the time a small file takes."""
    spec, frame = request.spec, request.frame
    if spec.kind == "pointcloud":
        from gis.scan import survey_scan as survey
        from scenes.scan_tiles import tile_scan as tile
    else:
        from gis.photomesh import survey_mesh as survey  # type: ignore[assignment]
        from scenes.mesh_tiles import tile_mesh as tile
    if request.verb == "tiles":
        return tile(spec, frame, request.folder, tell)
    findings: list[Finding] = []
    parts = each_file(spec, lambda one: survey(one, frame.park_crs, frame.origin), findings)
    findings += [f for part in parts for f in part.findings]
    return Surveyed(spec, parts[0].crs, np.concatenate([part.park for part in parts]),
                    np.concatenate([part.raw[:, :2] for part in parts]), tuple(once(findings)))


def main() -> int:
    """Serve one request; 0 with a result (`Refused` where there is none), 3 out of memory."""
    request: Request = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - our own parent sent it
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    if request.memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (request.memory_bytes, request.memory_bytes))
    try:
        result = serve(request, lambda done, total: channel.write(json.dumps([done, total]) + "\n"))
    except TwinError as error:
        sample = error.sample if isinstance(error, MissingCrs) else None
        result = Refused(error.what, error.mend, error.where or "", sample)
    except MemoryError:
        return OUT_OF_MEMORY
    (request.folder / RESULT).write_bytes(pickle.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
