"""The journal of edits: what was changed, by whom, what undoes it; append-only, so that nothing anybody did is lost.

The draft is what the journal comes to. Publishing writes it to `overrides.toml` and builds; edits made there by hand are
taken into the journal when it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from twin.errors import TwinError
from twin.finding import Finding
from twin.overrides import FILE_NAME, Override, OverrideError, check, key_of, parse_file, written
from twin.shared.papers import Paper

BY_FILE = FILE_NAME  # who an edit made in the file is by
PUBLISHING = ("publish", "take back")  # lines that change what is published and not the draft


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the journal.

    Args:
        n: counts from 1 without gaps. time_ms: Unix, UTC.
        before, after: the override of `key`; None where there was none.
        of: the line that is undone or done again; of a publication: the version that was published.
        state: what stood in overrides.toml, where a person changed it there, or before a publication that was taken back.
    """

    n: int
    time_ms: float
    by: str
    do: Literal["edit", "undo", "redo", "publish", "take back"]
    key: str = ""
    before: Override | None = None
    after: Override | None = None
    of: int = 0
    state: dict[str, Override] | None = None


class EditConflict(TwinError):
    """Somebody else changed the same thing meanwhile."""


class EditBook:
    """A park's edits. One thread at a time may call it.

    Args:
        root: the park folder, with its overrides.toml. journal: the paper the journal is on.
    """

    def __init__(self, root: Path, journal: Paper, now_ms: float) -> None:
        self._file, self._journal = root / FILE_NAME, journal
        self.changes: list[Change] = []
        self.draft: dict[str, Override] = {}
        self.published: dict[str, Override] = {}
        self.findings: list[Finding] = []
        self._undo: list[int] = []
        self._redo: list[int] = []
        for line in _lines(journal, self.findings):
            self._take(line)
        self._take_file(now_ms)

    @property
    def version(self) -> int:
        """Number of the last line."""
        return len(self.changes)

    @property
    def is_dirty(self) -> bool:
        """Whether there are edits that were not published."""
        return self.draft != self.published

    @property
    def next_undo(self) -> Change | None:
        """What `undo` would take back."""
        return self.changes[self._undo[-1] - 1] if self._undo else None

    @property
    def next_redo(self) -> Change | None:
        """What `redo` would do again."""
        return self.changes[self._redo[-1] - 1] if self._redo else None

    def edit(self, override: Override, by: str, now_ms: float, seen: int) -> Change:
        """Set one override.

        Args:
            seen: the version the person looked at.

        Raises:
            OverrideError: it does not hold together. EditConflict: somebody else changed the same thing since `seen`.
        """
        key = key_of(check(override))
        self._refuse_late(seen, by, key)
        return self._write(by, now_ms, "edit", key, override)

    def remove(self, key: str, by: str, now_ms: float, seen: int) -> Change:
        """Take an override out, back to what the sources say. Raises as `edit`; OverrideError where there is none."""
        if key not in self.draft:
            raise OverrideError(f"there is no edit '{key}'", mend="read the list again", code="edit.gone", fill={"key": key})
        self._refuse_late(seen, by, key)
        return self._write(by, now_ms, "edit", key, None)

    def undo(self, by: str, now_ms: float, seen: int) -> Change:
        """Take the last edit back. Raises EditConflict when somebody changed anything since; OverrideError at the end."""
        return self._step("undo", self._undo, by, now_ms, seen)

    def redo(self, by: str, now_ms: float, seen: int) -> Change:
        """Do again what was undone last. Raises as `undo`."""
        return self._step("redo", self._redo, by, now_ms, seen)

    def write_file(self) -> str:
        """Write the draft to overrides.toml; returns the text that was there.

        Raises:
            OverrideError: the file there is not TOML.
        """
        before = self._text()
        _replace(self._file, written(before, self.draft))
        return before

    def put_back(self, text: str) -> None:
        """Put the text of overrides.toml back, after a build that failed."""
        if text:
            _replace(self._file, text)
        else:
            self._file.unlink(missing_ok=True)

    def note_published(self, version: int, by: str, now_ms: float) -> Change:
        """The draft of a version stands in overrides.toml and is built."""
        return self._append(Change(n=self.version + 1, time_ms=now_ms, by=by, do="publish", of=version))

    def take_back(self, text: str, state: dict[str, Override], by: str, now_ms: float) -> Change:
        """A publication came to nothing after all: overrides.toml and what counts as published are as before it."""
        self.put_back(text)
        return self._append(Change(n=self.version + 1, time_ms=now_ms, by=by, do="take back", of=self.version, state=state))

    def at(self, version: int) -> dict[str, Override]:
        """The draft as it was after a line."""
        draft: dict[str, Override] = {}
        for change in self.changes[:version]:
            _apply(draft, change)
        return draft

    def _step(self, do: Literal["undo", "redo"], stack: list[int], by: str, now_ms: float, seen: int) -> Change:
        self._refuse_late(seen, by, "")
        if not stack:
            raise OverrideError(f"there is nothing to {do}", mend="read the list again",
                                code="edit.no_undo" if do == "undo" else "edit.no_redo")
        last = self.changes[stack[-1] - 1]
        change = Change(n=self.version + 1, time_ms=now_ms, by=by, do=do, key=last.key, of=last.n,
                        before=self.draft.get(last.key), after=last.before if do == "undo" else last.after)
        return self._append(change)

    def _refuse_late(self, seen: int, by: str, key: str) -> None:
        """An edit is late when another person changed the same thing since; an undo when they changed anything."""
        for change in reversed(self.changes[max(0, seen):]):
            if change.by != by and change.do not in PUBLISHING and key in ("", change.key):
                raise EditConflict(f"{change.by} changed '{change.key}' meanwhile", mend="look at it, then do yours again",
                                   code="edit.late", fill={"by": change.by, "key": change.key})

    def _write(self, by: str, now_ms: float, do: Literal["edit"], key: str, after: Override | None) -> Change:
        return self._append(Change(n=self.version + 1, time_ms=now_ms, by=by, do=do, key=key, before=self.draft.get(key),
                                   after=after))

    def _append(self, change: Change) -> Change:
        """On disk first, then in memory."""
        self._journal.append(msgspec.json.encode(change) + b"\n", change.time_ms / 1000)
        self._take(change)
        return change

    def _take(self, change: Change) -> None:
        self.changes.append(change)
        if change.do in PUBLISHING:
            self.published = self.at(change.of) if change.state is None else dict(change.state)
            return
        _apply(self.draft, change)
        if change.do == "edit":
            self._undo.append(change.n)
            self._redo.clear()
        elif change.do == "undo":
            self._redo.append(self._undo.pop())
        else:
            self._undo.append(self._redo.pop())

    def _take_file(self, now_ms: float) -> None:
        """What was edited in overrides.toml itself since it was last published."""
        in_file, told = parse_file(self._text())
        self.findings += told
        if any("not TOML" in f.what for f in told) or in_file == self.published:
            return
        for key in {**self.published, **in_file}:
            if self.published.get(key) != in_file.get(key) and self.draft.get(key) != in_file.get(key):
                self._write(BY_FILE, now_ms, "edit", key, in_file.get(key))
        self._append(Change(n=self.version + 1, time_ms=now_ms, by=BY_FILE, do="publish", of=self.version, state=in_file))

    def _text(self) -> str:
        return self._file.read_text(encoding="utf-8-sig") if self._file.is_file() else ""


def _apply(draft: dict[str, Override], change: Change) -> None:
    if change.do in PUBLISHING:
        return
    if change.after is None:
        draft.pop(change.key, None)
    else:
        draft[change.key] = change.after


def differences(one: Mapping[str, Override], other: Mapping[str, Override]) -> list[str]:
    """Keys that two sets of edits do not agree on."""
    return [key for key in {**one, **other} if one.get(key) != other.get(key)]


def _lines(journal: Paper, findings: list[Finding]) -> list[Change]:
    """Every line up to the first that cannot be read; a torn last one is cut off."""
    out: list[Change] = []
    raw, path = journal.read() or b"", journal.path
    good = 0
    for line in raw.splitlines(keepends=True):
        try:
            change = msgspec.json.decode(line, type=Change)
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
        if not line.endswith(b"\n") or change.n != len(out) + 1:
            break
        out.append(change)
        good += len(line)
    if good < len(raw):
        aside = path.with_name(path.name + ".damaged")
        aside.write_bytes(raw)
        journal.write(raw[:good], out[-1].time_ms / 1000 if out else 0.0)
        findings.append(Finding("warning", f"the journal of edits is damaged after line {len(out)}; the rest is left aside",
                                path.name, f"nothing published is lost; the whole is in {aside.name}"))
    return out


def _replace(path: Path, text: str) -> None:
    _replace_bytes(path, text.encode())


def _replace_bytes(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
