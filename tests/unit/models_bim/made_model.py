"""Models out of files that `ifc_maker` wrote, and what is found in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ifc_maker import Maker

from models_bim.federate import federate
from models_bim.model import BimModel
from models_bim.worker import read_discipline


def read_made(*makers: Maker, folder: Path) -> BimModel:
    """The building of these files, one a discipline, written into a folder."""
    return federate([read_discipline(m.write(folder / f"d{k}.ifc")) for k, m in enumerate(makers)])


def row_of(model: BimModel, name: str) -> int:
    """The row of the entity of a name."""
    return int(np.flatnonzero(model.entities.name == name)[0])


def storey_of(model: BimModel, name: str) -> str:
    """The storey the entity of a name stands on."""
    return model.storeys[model.entities.storey[row_of(model, name)]].name
