"""Writes `assets/viewer/src/wire.ts` from `twin.wire` and the frame layout: the wire is stated once, in Python.

    python -m twin.wire_ts
"""

from __future__ import annotations

import types
import typing
from enum import IntEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from twin import wire
from twin.live.frames import LAYOUT, STEPS

TARGET = Path(__file__).resolve().parent.parent / "assets" / "viewer" / "src" / "wire.ts"
_SCALARS = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
_ARRAYS = {"<f8": ("Float64Array", 8), "<f4": ("Float32Array", 4), "<u4": ("Uint32Array", 4), "<u1": ("Uint8Array", 1),
           STEPS: ("Uint32Array", 1)}


def wire_ts() -> str:
    """The whole text of wire.ts; the same every time."""
    parts_of = (wire.LinkageTarget, wire.LinkageStep, wire.LinkageRun, wire.PlanStep, wire.PlanRun, wire.WallStop,
                wire.WallShot, wire.WallUrgent)
    asked = (wire.Look, wire.ClockAsk, wire.ReplayAsk)
    structs: list[type[msgspec.Struct]] = [wire.Kpi, wire.AlarmGroup, *parts_of, *wire.SERVER_MESSAGES, *asked]
    parts = ["// Generated from twin/wire by `python -m twin.wire_ts`. Do not edit.", "",
             f"export const MAGIC = 0x{wire.MAGIC:x};", f"export const VERSION = {wire.VERSION};",
             f"export const HEADER_BYTES = {wire.HEADER_BYTES};", ""]
    parts += [_enum(enum) for enum in (wire.FrameKind, wire.Channel, wire.Quality)]
    parts += [_interface(struct) for struct in structs]
    parts.append(f"export type ServerMessage = {' | '.join(s.__name__ for s in wire.SERVER_MESSAGES)};\n")
    parts += [_frame_interface(kind) for kind in wire.FrameKind]
    parts.append(f"export type Frame = {' | '.join(_frame_name(kind) for kind in wire.FrameKind)};\n")
    parts.append(_decoder())
    return "\n".join(parts)


def _enum(enum: type[IntEnum]) -> str:
    rows = ", ".join(f"{item.name}: {item.value}" for item in enum)
    return f"export const {enum.__name__} = {{ {rows} }} as const;"


def _interface(struct: type[msgspec.Struct]) -> str:
    hints = get_type_hints(struct)
    tag = struct.__struct_config__.tag
    rows = [f'  t: "{tag}";'] if tag else []
    rows += [f"  {name}: {_type(hints[name])};" for name in struct.__struct_fields__]
    return "\n".join([f"\nexport interface {struct.__name__} {{", *rows, "}"])


def _type(hint: Any) -> str:
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " | ".join(dict.fromkeys(_type(arg) for arg in args))
    if origin is list:
        inner = _type(args[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is tuple:
        return f"[{', '.join(_type(arg) for arg in args)}]"
    if origin is dict:
        return f"Record<string, {_type(args[1])}>"
    return str(hint.__name__)


def _frame_name(kind: wire.FrameKind) -> str:
    return f"{kind.name.capitalize()}Frame"


def _frame_interface(kind: wire.FrameKind) -> str:
    columns = "; ".join(f"{name}: {_ARRAYS[dtype][0]}" for name, dtype, _ in LAYOUT[kind])
    return (f"export interface {_frame_name(kind)} {{ kind: {kind.value}; n: number; seq: number; extra: number; "
            f"timeMs: number; {columns} }}")


def _decoder() -> str:
    cases = []
    for kind in wire.FrameKind:
        at = "HEADER_BYTES"
        fields = []
        for name, dtype, width in LAYOUT[kind]:
            array, size = _ARRAYS[dtype]
            if dtype == STEPS:
                fields.append(f"{name}: fromSteps(new Uint8Array(buffer, {at}), n)")
                continue
            count = "n" if width == 1 else f"n * {width}"
            fields.append(f"{name}: take({array}, {at}, {count})")
            at += f" + n * {width * size}"
        head = f"{{ kind: {kind.value}, n, seq, extra, timeMs"
        cases.append(f"    case {kind.value}: return {head}, {', '.join(fields)} }};")
    return "\n".join([
        "/** Ascending numbers out of steps of a byte: 255 adds to the step that follows. */",
        "function fromSteps(steps: Uint8Array, n: number): Uint32Array {",
        "  const out = new Uint32Array(n);",
        "  let at = 0, number = 0;",
        "  for (const step of steps) { number += step; if (step !== 255 && at < n) out[at++] = number; }",
        "  return out.subarray(0, at);",
        "}", "",
        "/** A binary frame taken apart; null for bytes of another kind. Columns view the buffer if they can. */",
        "export function decodeFrame(buffer: ArrayBuffer): Frame | null {",
        "  if (buffer.byteLength < HEADER_BYTES) return null;",
        "  const view = new DataView(buffer);",
        "  if (view.getUint16(0, true) !== MAGIC || view.getUint8(2) !== VERSION) return null;",
        "  const n = view.getUint32(4, true), seq = view.getUint32(8, true), extra = view.getUint32(12, true);",
        "  const timeMs = view.getFloat64(16, true);",
        "  type Columns<T> = { new (buffer: ArrayBuffer, at: number, length: number): T; BYTES_PER_ELEMENT: number };",
        "  const take = <T>(make: Columns<T>, at: number, length: number): T =>",
        "    at % make.BYTES_PER_ELEMENT === 0 ? new make(buffer, at, length)",
        "      : new make(buffer.slice(at, at + length * make.BYTES_PER_ELEMENT), 0, length);",
        "  switch (view.getUint8(3)) {", *cases, "    default: return null;", "  }", "}", ""])


if __name__ == "__main__":
    TARGET.write_text(wire_ts(), encoding="utf-8")
