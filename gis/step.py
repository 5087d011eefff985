"""Reading a layer or a terrain as a step of a build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from gis.model import Layer
from gis.sidecars import sidecars
from gis.terrain import Terrain, read_terrain
from twin.errors import SourceError, TwinError
from twin.park import LayerSpec, ParkSpec
from twin.steps import code_digest, digest_of_file, key_of

_LIBRARIES = ("shapely", "geopandas", "pyogrio", "pyproj", "rasterio", "pydelatin")


@dataclass(frozen=True, slots=True)
class ReadLayer:
    """The step (`twin.workshop.Step`) that reads one source of the map, brought to the park frame."""

    layer: LayerSpec
    crs: str
    origin: tuple[float, float, float]
    key: str
    files: tuple[Path, ...]

    @classmethod
    def of(cls, layer: LayerSpec, spec: ParkSpec) -> ReadLayer:
        """The step for a layer as its files are now."""
        files = tuple(path for path in sidecars(layer.source) if path.is_file())
        said = repr((replace(layer, source=Path(layer.source.name)), spec.crs, spec.origin))
        key = key_of("layer", code_digest("gis", "twin"), *(version(name) for name in _LIBRARIES), said,
                     *(part for path in files for part in (path.name, digest_of_file(path))))
        return cls(layer, spec.crs, spec.origin, key, files)

    @property
    def name(self) -> str:
        """For messages."""
        return f"reading layer '{self.layer.id}'"

    def do(self, here: Callable[[Path], Path]) -> Layer | Terrain | TwinError:
        """The layer, or what is wrong with its source."""
        from gis.read import is_terrain, read_layer  # slow to load, and layers that were read before are kept

        layer = replace(self.layer, source=here(self.layer.source))
        try:
            if layer.kind == "terrain" or is_terrain(layer.source):
                return read_terrain(layer, self.crs, self.origin)
            return read_layer(layer, self.crs, self.origin)
        except SourceError as error:
            return error
