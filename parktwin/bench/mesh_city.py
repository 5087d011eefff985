"""Mesh a synthetic city in this process and say how long it took. Arguments: count, `plain` or `full`; prints JSON."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import shapely

from gis.model import FlatGround
from gis.solids import building_meshes
from parktwin.bench.city import layer_of

FAR = shapely.box(1e7, 1e7, 1e7 + 1, 1e7 + 1)


def main(count: int, form: str) -> dict[str, float]:
    """Seconds from footprints in memory to triangles in memory; the layer itself is made before the clock starts.

    `plain` is the form of surroundings (walls and flat roofs), `full` that of a park's own blocks (parapets, rooftop plant).
    """
    layer, nodes, ground = layer_of(count), np.arange(1, count + 1, dtype=np.uint32), FlatGround(0.0)
    park = FAR if form == "plain" else None
    building_meshes(layer.take(np.arange(min(20, count))), nodes[:20], ground, park)
    began, burned = time.perf_counter(), time.process_time()
    meshes = building_meshes(layer, nodes, ground, park)
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - burned,
            "triangles": float(sum(len(m.faces) for m in meshes))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), sys.argv[2])))
