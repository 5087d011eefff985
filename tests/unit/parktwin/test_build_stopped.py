"""Ctrl-C ends a build with one line, whatever a library makes of the interrupt."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import typer

import scenes.compile
from parktwin.build import STOPPED, build

PARK = '[park]\nname = "P"\ncrs = "EPSG:4549"\norigin = [500000.0, 3400000.0, 0.0]\n'


def test_an_interrupt_that_a_library_turned_into_its_own_error_is_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                       capsys: pytest.CaptureFixture[str]) -> None:
    def compiles(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise TypeError("cannot convert") from None

    (tmp_path / "park.toml").write_text(PARK, "utf-8")
    monkeypatch.setattr(scenes.compile, "compile_park", compiles)
    with pytest.raises(typer.Exit) as ended:
        build(tmp_path, jobs=1)
    assert ended.value.exit_code == STOPPED
    assert "stopped; there is no build yet" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_without_an_interrupt_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiles(*_: object, **__: object) -> None:
        raise TypeError("cannot convert")

    (tmp_path / "park.toml").write_text(PARK, "utf-8")
    monkeypatch.setattr(scenes.compile, "compile_park", compiles)
    with pytest.raises(TypeError):
        build(tmp_path, jobs=1)
