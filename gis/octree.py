"""Points of any number as an octree of tiles, each adding detail to the one above it, with only a part in memory at a time.

Points are spooled to disk, sorted into buckets that fit in memory, and every bucket along a Z-order curve: a point belongs
to the coarsest grid in which it is the first in its cell, so that every level is evenly spaced and no point is drawn twice.
Source of the scheme: Schütz, Ohrhallinger, Wimmer, "Fast out-of-core octree generation for massive point clouds" (2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
RECORD = np.dtype([("mm", "<i4", 3), ("rgb", "u1", 3), ("spare", "u1")])
GRID_BITS = 7  # a tile holds the points of a grid of 128 cells a side
MOST_IN_TILE = 50_000
FEW = 1_500  # a child with fewer points is drawn with its parent
BUCKET = 1_500_000
_COUNT_BITS = 7
_DEEPEST_BITS = 21
_PIECE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One tile of the tree.

    Args:
        name: "r" and an octant digit a level. box: of its own points and all below, park metres.
        spacing_m: between points once it is drawn with all above it. 0 error_m: nothing is left out below it.
    """

    name: str
    box: tuple[float, ...]
    count: int
    spacing_m: float
    children: tuple[Node, ...] = ()


Emit = Callable[[str, F64, NDArray[np.uint8], float], None]


class Spool:
    """Points on their way to disk: appended a piece at a time, never all in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path, self.count = folder, folder / "spool", 0
        self.low, self.high = np.full(3, np.inf), np.full(3, -np.inf)
        self._file = self.path.open("wb")

    def add(self, position: F64, colour: NDArray[np.uint8]) -> None:
        """Keep (n, 3) park metres, to the millimetre, and (n, 3) sRGB."""
        if not len(position):
            return
        rows = np.zeros(len(position), RECORD)
        rows["mm"], rows["rgb"] = np.rint(position * 1000.0), colour
        self.low, self.high = np.minimum(self.low, position.min(0)), np.maximum(self.high, position.max(0))
        self._file.write(rows.tobytes())
        self.count += len(rows)

    def pieces(self) -> Iterator[NDArray[np.void]]:
        """What was added, in order."""
        self._file.flush()
        yield from _pieces(self.path)

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def _pieces(path: Path) -> Iterator[NDArray[np.void]]:
    with path.open("rb") as file:
        while len(rows := np.fromfile(file, RECORD, _PIECE)):
            yield rows


@dataclass(slots=True)
class _Tree:
    """The grids of a cloud: `bits` cells a side (as a power of two) at the finest, over a cube."""

    low_mm: I64
    size_mm: int
    bits: int
    emit: Emit
    above: dict[tuple[int, int], list[NDArray[np.void]]] = field(default_factory=dict)
    done: dict[tuple[int, int], Node] = field(default_factory=dict)
    thinned: int = 0
    last: int = -1

    def codes(self, rows: NDArray[np.void]) -> I64:
        cell = ((rows["mm"].astype(np.int64) - self.low_mm) << self.bits) // self.size_mm
        return _interleaved(np.clip(cell, 0, (1 << self.bits) - 1))

    def spacing_m(self, level: int) -> float:
        return self.size_mm / 1000.0 / (1 << (level + GRID_BITS))


def build_octree(spool: Spool, finest_m: float, emit: Emit) -> tuple[Node, int]:
    """Tiles of a spooled cloud, each handed to `emit` as it is done (name, park metres, sRGB, spacing).

    Args:
        finest_m: points nearer to one another than this are drawn as one.

    Returns:
        The root, and how many points were left out as too near to others.
    """
    low = np.floor(spool.low * 1000.0).astype(np.int64) - 1
    size = int(max(np.ceil(spool.high * 1000.0).astype(np.int64) - low + 2))
    wanted = np.ceil(np.log2(max(size / (finest_m * 1000.0), 1.0)))
    tree = _Tree(low, size, int(np.clip(wanted, GRID_BITS, _DEEPEST_BITS)), emit)
    buckets = _buckets(tree, spool)
    paths = _sorted_out(tree, spool, buckets)
    spool.close()
    for (level, prefix), path in zip(buckets, paths, strict=True):
        if path.exists():
            _bucket_tiles(tree, path, level, prefix)
            path.unlink()
    return _upper_tiles(tree, max((level for level, _ in buckets), default=0)), tree.thinned


def _buckets(tree: _Tree, spool: Spool) -> list[tuple[int, int]]:
    """Nodes (level, Z-order prefix) that hold few enough points to be sorted in memory, along the curve."""
    bits = min(_COUNT_BITS, tree.bits - GRID_BITS)
    counts = np.zeros(1 << (3 * bits), np.int64)
    for rows in spool.pieces():
        counts += np.bincount(tree.codes(rows) >> (3 * (tree.bits - bits)), minlength=len(counts))
    out: list[tuple[int, int]] = []

    def split(level: int, prefix: int) -> None:
        span = 3 * (bits - level)
        total = int(counts[prefix << span:(prefix + 1) << span].sum())
        if total and (total <= BUCKET or level == bits):
            out.append((level, prefix))
        elif total:
            for octant in range(8):
                split(level + 1, prefix * 8 + octant)

    split(0, 0)
    return out


def _sorted_out(tree: _Tree, spool: Spool, buckets: list[tuple[int, int]]) -> list[Path]:
    """A file of points for every bucket."""
    paths = [spool.folder / f"bucket-{k}" for k in range(len(buckets))]
    starts = np.array([prefix << (3 * (tree.bits - level)) for level, prefix in buckets], dtype=np.int64)
    for rows in spool.pieces():
        of = np.searchsorted(starts, tree.codes(rows), side="right") - 1
        order = np.argsort(of, kind="stable")
        edges = np.searchsorted(of[order], np.arange(len(buckets) + 1))
        for k in np.flatnonzero(np.diff(edges)).tolist():
            with paths[k].open("ab") as file:
                file.write(rows[order[edges[k]:edges[k + 1]]].tobytes())
    return paths


def _bucket_tiles(tree: _Tree, path: Path, level: int, prefix: int) -> None:
    rows = _thinned(tree, path)
    code = tree.codes(rows)
    order = np.argsort(code, kind="stable")
    rows, code = rows[order], code[order]
    before = np.concatenate([[tree.last], code[:-1]])
    tree.last = int(code[-1])
    keep = code != before
    tree.thinned += int((~keep).sum())
    rows, code, before = rows[keep], code[keep], before[keep]
    of = _levels(code, before, tree.bits)
    for above in range(level):
        chosen = rows[of == above]
        if len(chosen):
            tree.above.setdefault((above, prefix >> (3 * (level - above))), []).append(chosen)
    _visit(tree, rows, code, of, level, prefix)


def _thinned(tree: _Tree, path: Path) -> NDArray[np.void]:
    """The rows of a bucket; of one that is far too full (all in one cell of the coarse count) one a finest cell."""
    if path.stat().st_size <= 4 * BUCKET * RECORD.itemsize:
        return np.fromfile(path, RECORD)
    kept = np.zeros(0, RECORD)
    for rows in _pieces(path):
        both = np.concatenate([kept, rows])
        _, first = np.unique(tree.codes(both), return_index=True)
        tree.thinned += len(both) - len(first)
        kept = both[np.sort(first)]
    return kept


def _levels(code: I64, before: I64, bits: int) -> NDArray[np.int8]:
    """The tree level at which each point of a sorted run is drawn: that of the coarsest grid it is first of its cell in."""
    differ = (code ^ before).astype(np.uint64)
    differ[before < 0] = np.uint64(1) << np.uint64(3 * bits)
    top = np.frexp(differ.astype(np.float64))[1] - 1  # the highest bit in which neighbours on the curve differ
    grid = bits - top // 3  # 2**grid cells a side tell them apart
    return np.maximum(0, grid - GRID_BITS).astype(np.int8)


def _visit(tree: _Tree, rows: NDArray[np.void], code: I64, of: NDArray[np.int8], level: int, prefix: int) -> Node | None:
    """Emit a node and all below it; None where there is nothing."""
    own = of >= level
    total = int(own.sum())
    if not total:
        return None
    deepest = tree.bits - GRID_BITS
    if total <= MOST_IN_TILE or level >= deepest:
        return _put(tree, rows[own], level, prefix, ())
    mine = own & (of == level)
    shift = 3 * (tree.bits - level - 1)
    edges = np.searchsorted(code >> shift, prefix * 8 + np.arange(9))
    children = []
    for octant in range(8):
        part = slice(int(edges[octant]), int(edges[octant + 1]))
        below = of[part] > level
        if int(below.sum()) < FEW:
            mine[part] |= below
        elif (child := _visit(tree, rows[part], code[part], of[part], level + 1, prefix * 8 + octant)) is not None:
            children.append(child)
    return _put(tree, rows[mine], level, prefix, tuple(children))


def _put(tree: _Tree, rows: NDArray[np.void], level: int, prefix: int, children: tuple[Node, ...]) -> Node:
    position = rows["mm"] / 1000.0
    name = "r" + "".join(str((prefix >> (3 * (level - k - 1))) & 7) for k in range(level))
    boxes = [child.box for child in children]
    if len(rows):
        tree.emit(name, position, np.ascontiguousarray(rows["rgb"]), tree.spacing_m(level))
        boxes.append((*position.min(0).tolist(), *position.max(0).tolist()))
    table = np.array(boxes)
    box = (*table[:, :3].min(0).tolist(), *table[:, 3:].max(0).tolist())
    node = Node(name, box, len(rows), tree.spacing_m(level), children)
    tree.done[level, prefix] = node
    return node


def _upper_tiles(tree: _Tree, level: int) -> Node:
    """The tiles above the buckets, from the lowest up."""
    for above in range(level - 1, -1, -1):
        parents = {p for (at, p) in tree.above if at == above}
        parents |= {p >> 3 for (at, p) in tree.done if at == above + 1}
        for prefix in sorted(parents - {p for (at, p) in tree.done if at == above}):
            rows = tree.above.pop((above, prefix), [])
            below = [(above + 1, prefix * 8 + octant) for octant in range(8)]
            children = tuple(tree.done[child] for child in below if child in tree.done)
            _put(tree, np.concatenate(rows) if rows else np.zeros(0, RECORD), above, prefix, children)
    return tree.done[0, 0]


def _interleaved(cell: I64) -> I64:
    """Z-order codes (n,) of cells (n, 3) of at most 21 bits an axis; x is the lowest bit."""
    code = np.zeros(len(cell), np.int64)
    for axis in range(3):
        code |= _spread(cell[:, axis]) << axis
    return code


def _spread(bits: I64) -> I64:
    """Two empty bits after every bit."""
    b = bits & 0x1FFFFF
    for shift, mask in ((32, 0x1F00000000FFFF), (16, 0x1F0000FF0000FF), (8, 0x100F00F00F00F00F), (4, 0x10C30C30C30C30C3),
                        (2, 0x1249249249249249)):
        b = (b | (b << shift)) & mask
    return b
