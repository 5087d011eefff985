"""Open an IFC file whatever its header or bytes say: its schema mapped to a readable one, its text made honest."""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import ifcopenshell

from models_bim.lost import lost
from twin.finding import Finding

_SCHEMA = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']*)'", re.IGNORECASE)
_NON_ASCII = re.compile(rb"[\x80-\xff]+")
_HEADER_BYTES = 65536
_TAIL_BYTES = 4096
_ADOPTER = "0" * 22  # GlobalId of a project that a file does not have
_AS_STEP, _WHOLE = "export the model again as IFC (STEP)", "export it again; the file may be cut short"


@dataclass(frozen=True, slots=True, eq=False)
class OpenedIfc:
    """An IFC file in memory, with what had to be done to read it. `schema` is as the file itself names it, `megabytes` the
    length of its text."""

    file: ifcopenshell.file
    name: str
    schema: str
    findings: tuple[Finding, ...]
    megabytes: float


def open_ifc(path: Path, *, is_lazy: bool = False) -> OpenedIfc:
    """Open one IFC-SPF file (.ifc or .ifczip).

    Args:
        is_lazy: read what is said of a thing when it is first asked for: less memory for whoever asks for little, but
            damage shows only then. Forks must not read at once through the one open file (`models_bim.forks`).

    Raises:
        SourceError: no such file, not IFC at all, or a syntax the kernel cannot read.
    """
    raw = written = _bytes_of(path)
    findings: list[Finding] = []
    declared = _declared_schema(raw, path)
    readable = nearest_schema(declared)
    if readable is None:
        raise lost(path, f"{path.name} is written in {declared}, which is not an IFC schema that can be read",
                   "export it as IFC2X3, IFC4 or IFC4X3", "schema", declared=declared)
    if readable != declared.upper():
        raw = _SCHEMA.sub(lambda m: m.group(0).replace(m.group(1), readable.encode()), raw, count=1)
        findings.append(
            Finding(
                "warning",
                f"schema {declared} is read as {readable}",
                path.name,
                f"export as {readable} so that nothing is lost between the two",
                code="ifc.schema",
                fill={"declared": declared, "readable": readable},
            )
        )
    if b"END-ISO-10303-21" not in raw[-_TAIL_BYTES:]:
        findings.append(Finding("error", "the file breaks off before its end; what is there of it is read", path.name,
                                "export or copy it again", code="damaged.end"))
    fixed, count = escape_text(raw)
    if count:
        findings.append(
            Finding(
                "note",
                "text was written in raw bytes instead of the standard's \\X2\\ escapes; repaired",
                path.name,
                "export with a tool that escapes text",
                count,
                "ifc.text",
            )
        )
    with tempfile.NamedTemporaryFile(prefix="parktwin-", suffix=".ifc") as mended:
        lies_at = path
        if fixed is not written or path.suffix.lower() != ".ifc" or zipfile.is_zipfile(path):
            mended.write(fixed)
            mended.flush()
            lies_at = Path(mended.name)
        megabytes = len(fixed) / 1e6
        del raw, written, fixed  # the kernel needs the memory
        return OpenedIfc(_parse(lies_at, path, findings, is_lazy), path.name, declared, tuple(findings), megabytes)


def nearest_schema(declared: str) -> str | None:
    """The readable schema closest to a declared one; None when it is no IFC schema.

    Early and draft names (IFC4X1, IFC4X3_RC2, plain IFC4X3) open as the release that grew out of them.
    """
    name = declared.upper()
    known = [s for s in ifcopenshell.ifcopenshell_wrapper.schema_names() if s.startswith("IFC")]
    if name in known:
        return name
    for prefix, target in (("IFC2", "IFC2X3"), ("IFC4X", "IFC4X3_ADD2"), ("IFC4", "IFC4")):
        if name.startswith(prefix):
            return target
    return None


def escape_text(raw: bytes) -> tuple[bytes, int]:
    """Replace raw UTF-8 or GB18030 bytes by `\\X2\\` escapes; returns the bytes and how many runs were replaced.

    The encoding is judged once for the whole file, so that a name never comes out half in each.
    """
    runs = _NON_ASCII.findall(raw)
    if not runs:
        return raw, 0
    encoding = _encoding_of(runs)

    def escaped(match: re.Match[bytes]) -> bytes:
        text = match.group(0).decode(encoding, errors="replace")
        return b"\\X2\\" + text.encode("utf-16-be").hex().upper().encode() + b"\\X0\\"

    pattern = _NON_ASCII if encoding != "gb18030" else re.compile(rb"(?:[\x81-\xfe][\x40-\xfe])+|[\x80-\xff]+")
    return pattern.subn(escaped, raw)


def _encoding_of(runs: list[bytes]) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            for run in runs:
                run.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    # GB18030's second byte may be ASCII, so a run cut at ASCII can end on a lead byte: only then is it not Latin-1.
    double = sum(len(run) for run in runs if all(byte >= 0x81 for byte in run))
    return "gb18030" if double > 0.9 * sum(map(len, runs)) and any(len(run) > 1 for run in runs) else "latin-1"


def _bytes_of(path: Path) -> bytes:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inner = [name for name in archive.namelist() if name.lower().endswith(".ifc")]
                if len(inner) != 1:
                    raise lost(path, f"{path.name} holds {len(inner)} .ifc files", "put exactly one .ifc in it", "zip.count",
                               files=str(len(inner)))
                return archive.read(inner[0])
        return path.read_bytes()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise lost(path, f"{path.name} is a damaged archive ({error})", "pack it again, or give the .ifc itself",
                   "zip.damaged", why=str(error)) from error
    except OSError as error:
        raise lost(path, f"{path.name} cannot be opened ({error.strerror})", "check the path in park.toml", "unopened",
                   why=str(error.strerror)) from error


def _declared_schema(raw: bytes, path: Path) -> str:
    if b"ISO-10303-21" not in raw[:_HEADER_BYTES]:
        raise lost(path, f"{path.name} is not an IFC file (no ISO-10303-21 header)", _AS_STEP, "header")
    found = _SCHEMA.search(raw[:_HEADER_BYTES])
    if found is None:
        raise lost(path, f"{path.name} names no FILE_SCHEMA", _AS_STEP, "unnamed")
    return found.group(1).decode("ascii", errors="replace").strip()


def _open(lies_at: Path, is_lazy: bool) -> ifcopenshell.file | None:
    """The file, or None where the kernel stumbles over a line; given as text, it goes on behind that."""
    try:
        opened = ifcopenshell.open(str(lies_at), lazy=is_lazy)  # type: ignore[call-overload]  # not in its signatures
    except (RuntimeError, ifcopenshell.Error):
        return None
    return opened if isinstance(opened, ifcopenshell.file) else None


def _parse(lies_at: Path, path: Path, findings: list[Finding], is_lazy: bool) -> ifcopenshell.file:
    """Parse a file where it lies: handed over as text, as damaged ones are, it would stand in memory three times."""
    try:
        opened = _open(lies_at, is_lazy)
        if opened is None:
            findings[:] = [f for f in findings if f.code != "damaged.end"]
            opened = ifcopenshell.file.from_string(lies_at.read_bytes().decode("ascii", errors="replace"))
            findings.append(Finding("error", "the file is damaged or cut short; what can be read of it is", path.name,
                                    "export it again", code="damaged.syntax"))
        has_project = bool(opened.by_type("IfcProject"))  # raises where the header could not be understood
    except (RuntimeError, OSError, ifcopenshell.Error) as error:
        raise lost(path, f"{path.name} cannot be parsed ({error})", _WHOLE, "unparsed", why=str(error)) from error
    if not has_project:
        if not _adopted(opened):
            raise lost(path, f"{path.name} holds no IfcProject", _WHOLE, "empty")
        findings.append(Finding(
            "warning", "the file holds no IfcProject; what is in it is read without, in metres where no units lie about",
            path.name, "export the whole model again", code="ifc.projects.none"))
    return opened


def _adopted(file: ifcopenshell.file) -> bool:
    """Give things that no project holds one of their own, with what units and contexts there are; False without things."""
    if not any(product.Representation for product in file.by_type("IfcProduct")):
        return False
    contexts = file.by_type("IfcGeometricRepresentationContext", include_subtypes=False)
    units = file.by_type("IfcUnitAssignment") or [file.create_entity(
        "IfcUnitAssignment", [file.create_entity("IfcSIUnit", UnitType="LENGTHUNIT", Name="METRE")])]
    file.create_entity("IfcProject", GlobalId=_ADOPTER, UnitsInContext=units[0],
                       **({"RepresentationContexts": contexts} if contexts else {}))
    return True
