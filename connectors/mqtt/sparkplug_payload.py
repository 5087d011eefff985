"""The Sparkplug B payload (Eclipse Sparkplug 3.0, chapter 6.4): our own description of the fields we use, made by `protobuf`.

Fields that are not described here (data sets, templates, metadata) are skipped by the decoder, as protobuf promises.
"""

from __future__ import annotations

from typing import Any

from twin.protobufs import KIND as _KIND
from twin.protobufs import message_classes

Payload = message_classes("parktwin.sparkplug", {
    "PropertyValue": [(1, "type", _KIND.TYPE_UINT32, False), (2, "is_null", _KIND.TYPE_BOOL, False),
                      (3, "int_value", _KIND.TYPE_UINT32, False), (4, "long_value", _KIND.TYPE_UINT64, False),
                      (8, "string_value", _KIND.TYPE_STRING, False)],
    "PropertySet": [(1, "keys", _KIND.TYPE_STRING, True), (2, "values", "PropertyValue", True)],
    "Metric": [(1, "name", _KIND.TYPE_STRING, False), (2, "alias", _KIND.TYPE_UINT64, False),
               (3, "timestamp", _KIND.TYPE_UINT64, False), (4, "datatype", _KIND.TYPE_UINT32, False),
               (5, "is_historical", _KIND.TYPE_BOOL, False), (7, "is_null", _KIND.TYPE_BOOL, False),
               (9, "properties", "PropertySet", False), (10, "int_value", _KIND.TYPE_UINT32, False),
               (11, "long_value", _KIND.TYPE_UINT64, False), (12, "float_value", _KIND.TYPE_FLOAT, False),
               (13, "double_value", _KIND.TYPE_DOUBLE, False), (14, "boolean_value", _KIND.TYPE_BOOL, False),
               (15, "string_value", _KIND.TYPE_STRING, False)],
    "Payload": [(1, "timestamp", _KIND.TYPE_UINT64, False), (2, "metrics", "Metric", True),
                (3, "seq", _KIND.TYPE_UINT64, False)],
})["Payload"]
#: Data types whose two's complement is carried in an unsigned field, with their bits.
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_FLOAT, _DOUBLE, _BOOLEAN, _STRING, _TEXT = 9, 10, 11, 12, 14
_LONG = (4, 8, 13)
_VALUES = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")


def value_of(metric: Any, datatype: int) -> float | str | bool | None:
    """A metric's value; None where it is null, or of a kind that is no single value. `datatype` is its birth's."""
    if metric.is_null:
        return None
    name = next((name for name in _VALUES if metric.HasField(name)), None)
    value = getattr(metric, name) if name else None
    bits = _SIGNED.get(datatype)
    if bits and isinstance(value, int) and not isinstance(value, bool):
        value &= (1 << bits) - 1
        value -= (value >> (bits - 1)) << bits
    return value


def set_value(metric: Any, datatype: int, value: float | str) -> None:
    """Put a value into a metric as its data type wants. Raises ValueError when it does not fit."""
    metric.datatype = datatype
    if datatype in (_STRING, _TEXT):
        metric.string_value = str(value)
    elif datatype == _BOOLEAN:
        metric.boolean_value = bool(float(value))
    elif datatype in (_FLOAT, _DOUBLE):
        setattr(metric, "float_value" if datatype == _FLOAT else "double_value", float(value))
    elif datatype in _LONG:
        metric.long_value = round(float(value)) & 0xFFFF_FFFF_FFFF_FFFF
    else:
        metric.int_value = round(float(value)) & 0xFFFF_FFFF


def quality_code(metric: Any) -> int:
    """The metric's `Quality` property: 192 good, 0 bad, 500 stale; 192 where it has none."""
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key == "Quality":
            return int(value.int_value if value.HasField("int_value") else value.long_value)
    return 192
