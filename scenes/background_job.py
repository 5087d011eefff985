"""What is asked of the process that reads a scan or a reality mesh, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenes.background_folder import Frame
from twin.finding import Finding
from twin.park import LayerSpec

RESULT = "result"
OUT_OF_MEMORY = 3


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What is asked of the process: a survey, or tiles in `folder`. `memory_bytes`: address space it may take."""

    verb: Literal["survey", "tiles"]
    spec: LayerSpec
    frame: Frame
    folder: Path
    memory_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Surveyed:
    """Where a background lies, from a sample: `park` (k, 3) park metres, `raw` (k, 2) as in its source."""

    spec: LayerSpec
    crs: str
    park: NDArray[np.float64]
    raw: NDArray[np.float64]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Refused:
    """Why there is no result. `sample` (k, 2) raw coordinates where only their coordinate system is not known."""

    what: str
    mend: str
    where: str
    sample: NDArray[np.float64] | None = None
