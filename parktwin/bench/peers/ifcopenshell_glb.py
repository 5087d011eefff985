"""IFC → GLB with ifcopenshell's own serializer. Arguments: out folder, files… Prints one JSON line a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ifcopenshell
import ifcopenshell.geom


def convert(source: Path, out: Path) -> int:
    """Write one file as GLB, the way `IfcConvert` does by default; its bytes."""
    model, settings = ifcopenshell.open(source), ifcopenshell.geom.settings()
    serializer = ifcopenshell.geom.serializers.gltf(str(out), settings)
    serializer.setFile(model)
    serializer.writeHeader()
    iterator = ifcopenshell.geom.iterator(settings, model, 1, exclude=["IfcSpace", "IfcOpeningElement"])
    if iterator.initialize():
        while True:
            serializer.write(iterator.get())
            if not iterator.next():
                break
    serializer.finalize()
    del serializer
    return out.stat().st_size


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in sys.argv[2:]:
        size = convert(Path(name), folder / f"{Path(name).stem}.glb")
        sys.stdout.write(json.dumps({"file": Path(name).name, "bytes": size}) + "\n")
