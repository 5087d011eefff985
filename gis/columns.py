"""Columns of a source: which one means what, and their values as text and numbers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gis.lengths import number_of

if TYPE_CHECKING:
    import pandas as pd  # loaded by the layers that need it: a park without any is spared its time and memory

X_NAMES = ("x", "lon", "long", "longitude", "lng", "easting")
Y_NAMES = ("y", "lat", "latitude", "northing")
ID_NAMES = ("id", "fid", "bldg_uid", "asset_uid", "treeid", "objectid", "globalid", "osm_id", "gml_id", "entityhandle")
NAME_NAMES = ("name", "placename", "label", "common_name")
HEIGHT_NAMES = ("height", "bldg_height", "height_m", "theight", "measuredheight")
WIDTH_NAMES = ("width", "width_m", "crownwidth1", "diameter_crown", "diameter", "diameter_mm", "crown")
DEPTH_NAMES = ("depth", "depth_m", "cover", "cover_m")
MEDIUM_NAMES = ("medium", "substance", "system", "type", "layer")
LEVEL_NAMES = ("levels", "building:levels", "floors", "storeys", "max_floors", "storeysaboveground")


def column(rows: pd.DataFrame, wanted: str | None, usual: tuple[str, ...]) -> str | None:
    """The column a field setting means, or the first usual name present (any case)."""
    lower = {str(name).lower(): str(name) for name in rows.columns}
    names = (wanted.lower(),) if wanted else usual
    return next((lower[name] for name in names if name in lower), None)


def as_text(values: pd.Series) -> NDArray[np.object_]:
    """A column as text (n,), "" where empty; whole floats without their point, lists with commas."""
    out = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        out[row] = _one_text(value)
    return out


def _one_text(value: object) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(_one_text(v) for v in value)
    if any(value is none for none in _nothing()) or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


@cache
def _nothing() -> tuple[object, ...]:
    """What stands in a table where there is no value."""
    import pandas as pd

    return None, pd.NA, pd.NaT


def texts(rows: pd.DataFrame, wanted: str | None, usual: tuple[str, ...]) -> NDArray[np.object_]:
    """The text column of a meaning (n,), "" everywhere where there is none."""
    name = column(rows, wanted, usual)
    return as_text(rows[name]) if name else np.full(len(rows), "", dtype=object)


def numbers(rows: pd.DataFrame, wanted: str | None, usual: tuple[str, ...]) -> NDArray[np.float64]:
    """The number column of a meaning (n,), NaN where there is none. "12 m" is 12, "40 ft" is 12.192."""
    name = column(rows, wanted, usual)
    if name is None:
        return np.full(len(rows), np.nan)
    import pandas as pd

    plain = pd.to_numeric(rows[name], errors="coerce").to_numpy(dtype=np.float64, copy=True)
    for row in np.flatnonzero(np.isnan(plain)):
        plain[row] = number_of(_one_text(rows[name].iloc[row]))
    return plain
