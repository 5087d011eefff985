"""`parktwin build DIR`: compile a park folder."""

from __future__ import annotations

import signal
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from scenes.standing import MANIFEST, BuildResult, name_of_build, standing
from twin.finding import Finding, Level
from twin.parkfile import load_park, read_park

STAGES = {"buildings": "reading buildings", "layers": "reading layers", "merge": "merging", "tiles": "drawing tiles",
          "tables": "writing tables", "walk": "laying paths", "compress": "compressing"}
SHOWN = 30
STOPPED = 130  # exit status of a command that Ctrl-C ended


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("build")(build)


def build(folder: Annotated[Path, typer.Argument(help="the park folder, with its park.toml")],
          force: Annotated[bool, typer.Option("--force", help="build even when nothing has changed")] = False,
          jobs: Annotated[int, typer.Option("--jobs", min=1, help="files read and buildings drawn at a time")] = 2,
          dask: Annotated[str, typer.Option("--dask", metavar="ADDRESS", help="build on the Dask cluster whose scheduler is "
                                            "here, such as tcp://10.0.0.5:8786; in a trusted network only")] = "") -> None:
    """Compile a park: IFC and GIS into one scene, 3D Tiles, tables and a report."""
    console = Console(stderr=True)
    spec = load_park(folder, strict=False)
    faults = tuple(Finding(f.severity, f.what, f"park.toml:{f.line}", f.mend) for f in read_park(folder)[1])
    started = time.monotonic()
    found = None if force else standing(spec, name_of_build(spec)[0])
    if found is not None:
        _tell(console, found, 0.0)
        return
    from scenes.cluster import cluster  # slow to load, and not needed where nothing changed
    from scenes.compile import compile_park

    ctrl_c = _CtrlC()
    try:
        with ctrl_c, Progress(TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                      console=console) as bars, ExitStack() as stack:
            pool = stack.enter_context(cluster(dask, lambda text: console.print(escape(text)))) if dask else None
            result = compile_park(spec, progress=_Teller(bars), force=force, jobs=jobs, faults=faults, pool=pool)
    except BaseException as ended:
        if not (ctrl_c.was_pressed or isinstance(ended, KeyboardInterrupt)):
            raise
        stands = "the last good build stands" if (spec.build_dir / MANIFEST).is_file() else "there is no build yet"
        console.print(f"✗ stopped; {stands}, and what was done is kept: build again to go on")
        raise typer.Exit(STOPPED) from None
    _tell(console, result, time.monotonic() - started)


class _CtrlC:
    """Whether Ctrl-C was pressed: now and then a library turns the interrupt that it meets into an error of its own."""

    def __init__(self) -> None:
        self.was_pressed = False
        self.former: Any = None

    def __enter__(self) -> None:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self.former = signal.signal(signal.SIGINT, self._pressed)

    def __exit__(self, *_: object) -> None:
        if self.former is not None:
            signal.signal(signal.SIGINT, self.former)

    def _pressed(self, *_: object) -> None:
        self.was_pressed = True
        raise KeyboardInterrupt


class _Teller:
    """Turns (stage, done, total) into one bar a stage."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(STAGES.get(stage, stage), total=total)
        self.bars.update(self.tasks[stage], completed=done, total=total)


def _tell(console: Console, result: BuildResult, seconds: float) -> None:
    if not result.is_fresh:
        console.print(f"up to date (build {result.build}); --force builds it again")
        return
    size = sum(p.stat().st_size for p in result.folder.rglob("*") if p.is_file() and p.suffix not in (".gz", ".br"))
    things = ", ".join(f"{n:,} {kind}s" for kind, n in result.counts.items() if kind not in ("park", "none"))
    console.print(f"built {escape(str(result.folder))} in {seconds:.1f} s: {things}; {size / 1e6:.1f} MB")
    if result.findings:
        console.print(_report(result.findings))


def _report(findings: tuple[Finding, ...]) -> Table:
    order: dict[Level, int] = {"error": 0, "warning": 1, "note": 2}
    ranked = sorted(findings, key=lambda f: order[f.level])
    tally: Counter[str] = Counter(f.level for f in findings)
    title = ", ".join(f"{tally[level]} {level}{'s' if tally[level] != 1 else ''}" for level in order if tally[level])
    table = Table(title=f"report: {title} (all of it in report.json)", show_lines=False)
    for name in ("level", "what", "where", "mend", "count"):
        table.add_column(name, overflow="fold", justify="right" if name == "count" else "left")
    for f in ranked[:SHOWN]:
        table.add_row(f.level, escape(f.what), escape(f.where), escape(f.mend), str(f.count))
    return table
