"""Height rasters in, an error-bounded triangle surface out, and the height of the ground anywhere in the park."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from pydelatin import Delatin

from gis.crs import park_from_map_xy
from twin.errors import SourceError
from twin.finding import Finding
from twin.park import LayerSpec

if TYPE_CHECKING:
    from rasterio import Affine
    from rasterio.windows import Window

MAX_ERROR_M = 0.12
MAX_SIDE = 1024
REACH_M, LEAST_CELLS = 6_000.0, 2


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """A triangulated ground in the park frame.

    Args:
        vertices: (n, 3) float64 park metres.
        triangles: (m, 3) uint32, counter-clockwise seen from above.
        max_error_m: how far a triangle may lie from the raster it stands for.
    """

    id: str
    name: str
    source: str
    crs: str
    vertices: NDArray[np.float64]
    triangles: NDArray[np.uint32]
    max_error_m: float
    findings: tuple[Finding, ...] = ()
    _cells: dict = field(default_factory=dict, repr=False)

    def polygons(self) -> NDArray[np.object_]:
        """The triangles seen from above as shapely polygons (m,)."""
        return shapely.polygons(self.vertices[self.triangles][:, :, :2])

    def height_at(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Heights on the triangles themselves (n,); outside them the nearest rim height."""
        xy = np.asarray(xy, np.float64).reshape(-1, 2)
        if "tree" not in self._cells:
            self._cells["tree"] = shapely.STRtree(self.polygons())
        tree = self._cells["tree"]
        lo, hi = self.vertices[:, :2].min(0), self.vertices[:, :2].max(0)
        inside = np.clip(xy, lo + 1e-6, hi - 1e-6)
        point, triangle = tree.query(shapely.points(inside), predicate="intersects")
        z = np.full(len(xy), np.nan)
        z[point] = plane_heights(self.vertices[self.triangles[triangle]], inside[point])
        lost = np.isnan(z)
        if lost.any():
            nearest = tree.nearest(shapely.points(inside[lost]))
            z[lost] = plane_heights(self.vertices[self.triangles[nearest]], inside[lost])
        return z


def plane_heights(corners: NDArray[np.float64], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """z (n,) at xy (n, 2) on the planes of triangles (n, 3, 3)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    up = np.where(np.abs(normal[:, 2]) > 1e-12, normal[:, 2], 1.0)
    return a[:, 2] - (normal[:, 0] * (xy[:, 0] - a[:, 0]) + normal[:, 1] * (xy[:, 1] - a[:, 1])) / up


def read_terrain(spec: LayerSpec, park_crs: str, origin: tuple[float, float, float],
                 max_error_m: float = MAX_ERROR_M) -> Terrain:
    """A height raster (GeoTIFF) as a triangle surface in the park frame; heights minus the origin's.

    Of a raster that covers the park's origin only what lies within `REACH_M` of it is read. It is resampled bilinearly on a
    grid square to the park frame, so a geographic raster bends as it should.

    Raises:
        SourceError: missing, unreadable, without a coordinate system, or without one valid height.
    """
    import rasterio  # here and below: libraries that only terrain needs, slow to load
    from rasterio.errors import RasterioError

    where = f"park.toml:{spec.line}" if spec.line else "park.toml"
    if not spec.source.exists():
        raise SourceError(f"layer '{spec.id}' names {spec.source.name}, which does not exist", where=where,
                          mend="correct `source` in park.toml or put the file there")
    try:
        with rasterio.open(spec.source, driver="AAIGrid" if spec.source.suffix.lower() == ".asc" else "GTiff") as raster:
            crs = spec.crs or (raster.crs.to_string() if raster.crs else None)
            window = _window(raster.transform, raster.shape, crs, park_crs, origin) if crs else None
            heights = raster.read(1, masked=True, window=window)
            transform = _moved(raster.transform, window)
    except RasterioError as error:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} cannot be read ({error})", where=where,
                          mend="export it again as GeoTIFF") from error
    if crs is None:
        raise SourceError(f"layer '{spec.id}': {spec.source.name} has no coordinate system", where=where,
                          mend='add crs = "EPSG:…" to the layer')
    grid, findings = _filled(spec, heights, where)
    return _triangulated(spec, crs, grid, transform, findings, (park_crs, origin), max_error_m)


def _window(transform: Affine, shape: tuple[int, int], crs: str, park_crs: str, origin: tuple[float, float, float],
            ) -> Window | None:
    """The part of a raster (rows, columns) within `REACH_M` of the park's origin; None for all of it, where there is none."""
    from rasterio.windows import Window

    side = np.linspace(-REACH_M, REACH_M, 9)
    rim = np.concatenate([np.column_stack(np.broadcast_arrays(*pair)) for pair in (
        (side, -REACH_M), (side, REACH_M), (-REACH_M, side), (REACH_M, side))])
    there = park_from_map_xy(rim + np.asarray(origin[:2]), park_crs, crs, (0.0, 0.0, 0.0))
    if not np.isfinite(there).all():
        return None
    x, y, back = *there.T, ~transform
    column, row = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    first = np.maximum(np.floor([row.min(), column.min()]).astype(int) - 1, 0)
    past = np.minimum(np.ceil([row.max(), column.max()]).astype(int) + 1, shape)
    if (past - first < LEAST_CELLS).any():
        return None
    return Window(first[1], first[0], past[1] - first[1], past[0] - first[0])


def _moved(transform: Affine, window: Window | None) -> Affine:
    """The transform of a part of a raster."""
    if window is None:
        return transform
    column, row, was = window.col_off, window.row_off, transform
    return type(was)(was.a, was.b, was.c + was.a * column + was.b * row, was.d, was.e, was.f + was.d * column + was.e * row)


def _filled(spec: LayerSpec, heights: np.ma.MaskedArray, where: str) -> tuple[NDArray[np.float64], list[Finding]]:
    from rasterio.fill import fillnodata

    values = np.ma.filled(heights.astype(np.float64), np.nan)
    holes = ~np.isfinite(values)
    if holes.all():
        raise SourceError(f"layer '{spec.id}': {spec.source.name} holds no heights at all", where=where,
                          mend="check its no-data value")
    if not holes.any():
        return values, []
    filled = fillnodata(np.where(holes, 0.0, values).astype(np.float32), mask=(~holes).astype(np.uint8),
                        max_search_distance=max(values.shape))
    values = np.where(holes, filled, values)
    return values, [Finding("note", f"layer '{spec.id}': cells without height filled from their neighbours",
                            spec.source.name, count=int(holes.sum()))]


def _triangulated(spec: LayerSpec, crs: str, grid: NDArray[np.float64], transform: Affine,
                  findings: list[Finding], frame: tuple[str, tuple[float, float, float]],
                  max_error_m: float) -> Terrain:
    from scipy.interpolate import RegularGridInterpolator

    park_crs, origin = frame
    rows, cols = grid.shape
    centre_x = transform.c + transform.a * (np.arange(cols) + 0.5)
    centre_y = transform.f + transform.e * (np.arange(rows) + 0.5)
    rim = np.array([[x, y] for x in (centre_x[0], centre_x[-1]) for y in (centre_y[0], centre_y[-1])])
    rim_in_park = park_from_map_xy(rim, crs, park_crs, origin)
    if not np.isfinite(rim_in_park).all():
        raise SourceError(f"layer '{spec.id}': {spec.source.name} covers other or more of the earth than {park_crs} can have",
                          where=f"park.toml:{spec.line}" if spec.line else "park.toml",
                          mend="take the raster of the park's surroundings")
    lo, hi = rim_in_park.min(0), rim_in_park.max(0)
    nx, ny = min(cols, MAX_SIDE), min(rows, MAX_SIDE)
    xs, ys = np.linspace(lo[0], hi[0], nx), np.linspace(lo[1], hi[1], ny)
    sample = RegularGridInterpolator((centre_y[::-1], centre_x), grid[::-1], bounds_error=False, fill_value=None)
    mesh_x, mesh_y = np.meshgrid(xs, ys)
    in_park = np.column_stack([mesh_x.ravel(), mesh_y.ravel()])
    in_map = park_from_map_xy(in_park + np.asarray(origin[:2]), park_crs, crs, (0.0, 0.0, 0.0))
    in_map = np.clip(in_map, [centre_x[0], centre_y[-1]], [centre_x[-1], centre_y[0]])
    z = sample(in_map[:, ::-1]).reshape(ny, nx) - origin[2]
    vertices, triangles = tin_of_grid(z, xs, ys, max_error_m)
    return Terrain(spec.id, spec.name or spec.id, spec.source.name, crs, vertices, triangles, max_error_m,
                   tuple(findings))


def tin_of_grid(z: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64], max_error_m: float,
                ) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Triangles within max_error_m of heights z (ny, nx) over ascending xs and ys.

    pydelatin counts its rows from the last one (it flips y): vertices are looked up by grid index, never by its own y.
    """
    ny, _nx = z.shape
    tin = Delatin(np.ascontiguousarray(z[::-1], dtype=np.float32), max_error=max_error_m)
    corner = np.asarray(tin.vertices, np.float64)
    column, row = np.rint(corner[:, 0]).astype(int), np.rint(corner[:, 1]).astype(int)
    if not np.allclose(z[row, column], corner[:, 2], atol=1e-3):
        row = ny - 1 - row
    vertices = np.column_stack([xs[column], ys[row], z[row, column]])
    triangles = np.asarray(tin.triangles, np.uint32).reshape(-1, 3).copy()
    a, b, c = (vertices[triangles[:, k], :2] for k in range(3))
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]) < 0
    triangles[turned] = triangles[turned][:, ::-1]
    return vertices, triangles
