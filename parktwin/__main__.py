"""The `parktwin` command: every module beside this one that has `register(app)` adds its verb."""

from __future__ import annotations

import atexit
import importlib
import os
import pkgutil
import sys

import typer

import parktwin
from twin.errors import TwinError

STOPPED = 130  # exit status of a command that Ctrl-C ended


def build_app(verb: str = "") -> typer.Typer:
    """The command line with all its verbs, in alphabetical order of their modules.

    Args:
        verb: where a module goes by this name, only that one is read: the others take longer than many a command.
    """
    app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
                      help="A digital twin and operations centre for parks: BIM and GIS in one live scene.")
    app.callback()(_root)
    names = sorted(m.name for m in pkgutil.iter_modules(parktwin.__path__) if not m.name.startswith("_"))
    for name in [verb] if verb in names else names:
        module = importlib.import_module(f"parktwin.{name}")
        if hasattr(module, "register"):
            module.register(app)
    return app


def _root() -> None:
    """Keeps verbs as sub-commands even while there is only one."""


def main() -> None:
    """Run; what a person can mend is told in one line, exit status 2."""
    try:
        build_app(sys.argv[1] if len(sys.argv) > 1 else "")()
    except TwinError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as ended:
        if ended.code == STOPPED:
            _leave(STOPPED)
        raise


def _leave(status: int) -> None:
    """End with this status for sure: now and then Python ends itself by a Ctrl-C that was met and told already."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
