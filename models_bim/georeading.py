"""What an IFC file says about where on Earth it stands: every statement, none of them judged."""

from __future__ import annotations

import ifcopenshell
import ifcopenshell.util.placement
import ifcopenshell.util.unit

from models_bim.model import Georeading

Entity = ifcopenshell.entity_instance


def read_georeadings(file: ifcopenshell.file, name: str, file_unit_m: float) -> tuple[Georeading, ...]:
    """Map conversions first, then sites that give latitude and longitude."""
    north = _true_north(file)
    readings = [_conversion(c, name, file_unit_m) for c in _conversions(file)]
    for site in file.by_type("IfcSite"):
        readings += _property_conversion(site, name, file_unit_m)
    readings += [
        _site(site, name, file_unit_m, north)
        for site in file.by_type("IfcSite")
        if site.RefLatitude and site.RefLongitude
    ]
    return tuple(readings)


def _conversions(file: ifcopenshell.file) -> list[Entity]:
    return [] if file.schema == "IFC2X3" else list(file.by_type("IfcMapConversion"))


def _conversion(conversion: Entity, name: str, file_unit_m: float) -> Georeading:
    target = conversion.TargetCRS
    unit = getattr(target, "MapUnit", None)
    return Georeading(
        kind="map",
        where=f"{name}#{conversion.id()}",
        crs=(target.Name or "") if target is not None else "",
        eastings=conversion.Eastings or 0.0,
        northings=conversion.Northings or 0.0,
        height=conversion.OrthogonalHeight or 0.0,
        x_axis=_axis(conversion.XAxisAbscissa, conversion.XAxisOrdinate),
        scale=conversion.Scale,
        map_unit_m=_metres(unit) if unit is not None else None,
        file_unit_m=file_unit_m,
    )


def _property_conversion(site: Entity, name: str, file_unit_m: float) -> list[Georeading]:
    """IFC2X3 has no IfcMapConversion: buildingSMART's guide puts it in property sets on the site."""
    psets = _psets(site)
    values = psets.get("epset_mapconversion")
    if not values:
        return []
    crs = psets.get("epset_projectedcrs", {})
    scale = values.get("Scale")
    return [
        Georeading(
            kind="map",
            where=f"{name}#{site.id()}",
            crs=str(crs.get("Name", "")),
            eastings=_number(values.get("Eastings")),
            northings=_number(values.get("Northings")),
            height=_number(values.get("OrthogonalHeight")),
            x_axis=_axis(values.get("XAxisAbscissa"), values.get("XAxisOrdinate")),
            scale=_number(scale) if scale is not None else None,
            map_unit_m=_named_unit(str(crs.get("MapUnit", ""))),
            file_unit_m=file_unit_m,
        )
    ]


def _psets(site: Entity) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for rel in site.IsDefinedBy or ():
        pset = getattr(rel, "RelatingPropertyDefinition", None)
        if pset is not None and pset.is_a("IfcPropertySet"):
            found[(pset.Name or "").casefold()] = {
                p.Name: p.NominalValue.wrappedValue
                for p in pset.HasProperties or ()
                if p.is_a("IfcPropertySingleValue") and p.NominalValue is not None
            }
    return found


def _site(site: Entity, name: str, file_unit_m: float, north: tuple[float, float]) -> Georeading:
    origin = (0.0, 0.0, 0.0)
    if site.ObjectPlacement is not None and site.ObjectPlacement.is_a("IfcLocalPlacement"):
        matrix = ifcopenshell.util.placement.get_local_placement(site.ObjectPlacement)
        origin = tuple(float(v) * file_unit_m for v in matrix[:3, 3])  # type: ignore[assignment]
    return Georeading(
        kind="site",
        where=f"{name}#{site.id()}",
        latitude=_degrees(site.RefLatitude),
        longitude=_degrees(site.RefLongitude),
        elevation=(site.RefElevation or 0.0) * file_unit_m,
        site_origin_in_ifc=origin,
        true_north=north,
        file_unit_m=file_unit_m,
    )


def _degrees(parts: tuple[int, ...]) -> float:
    """Degrees from (degrees, minutes, seconds[, millionths]); some files sign only one part."""
    whole = [abs(part) for part in parts] + [0, 0, 0]
    value = whole[0] + whole[1] / 60 + whole[2] / 3600 + whole[3] / 3.6e9
    return -value if any(part < 0 for part in parts) else value


def _true_north(file: ifcopenshell.file) -> tuple[float, float]:
    for context in file.by_type("IfcGeometricRepresentationContext", include_subtypes=False):
        if context.TrueNorth is not None and len(context.TrueNorth.DirectionRatios) >= 2:
            x, y = context.TrueNorth.DirectionRatios[:2]
            if x or y:
                return float(x), float(y)
    return 0.0, 1.0


def _axis(x: object, y: object) -> tuple[float, float]:
    return (1.0, 0.0) if not (_number(x) or _number(y)) else (_number(x), _number(y))


def _number(value: object) -> float:
    try:
        return float(value) if value is not None else 0.0  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0


def _metres(unit: Entity) -> float:
    if unit.is_a("IfcConversionBasedUnit"):
        factor = unit.ConversionFactor
        return float(factor.ValueComponent.wrappedValue) * _metres(factor.UnitComponent)
    return float(ifcopenshell.util.unit.get_prefix_multiplier(getattr(unit, "Prefix", None)))


def _named_unit(name: str) -> float | None:
    known = {
        "METRE": 1.0,
        "METER": 1.0,
        "M": 1.0,
        "MILLIMETRE": 0.001,
        "MILLIMETER": 0.001,
        "MM": 0.001,
        "FOOT": 0.3048,
        "US SURVEY FOOT": 1200 / 3937,
    }
    return known.get(name.strip().upper())
