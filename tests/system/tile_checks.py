"""What strangers' tools say of our tiles: Khronos' glTF validator and the JSON schemas of 3D Tiles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = Path(__file__).parent / "schemas"


def _validator() -> Path:
    folder = Path(os.environ.get("PARKTWIN_NODE_MODULES", ROOT / "assets/viewer/node_modules")) / "gltf-validator"
    if folder.is_dir():
        return folder
    pytest.skip("gltf-validator is not installed (npm ci in assets/viewer)")


_SCRIPT = """
const validator = require(process.argv[1]); const fs = require('fs');
(async () => { const out = {};
for (const file of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  try { const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(file)));
    out[file] = report.issues.messages.filter(m => m.severity < 2).map(m => m.code + ' ' + m.pointer);
  } catch (error) { out[file] = ['UNREADABLE ' + error]; } }
console.log(JSON.stringify(out)); })();
"""


def issues_of(files: list[Path]) -> dict[str, list[str]]:
    """Errors and warnings of each GLB."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    ran = subprocess.run([node, "-e", _SCRIPT, str(_validator())], input=json.dumps([str(f) for f in files]),
                         capture_output=True, text=True, check=True, timeout=240)
    return json.loads(ran.stdout)


def faults_of(schema: str, document: object) -> list[str]:
    """What a document breaks of one of our schemas."""
    rules = Draft202012Validator(json.loads((SCHEMAS / schema).read_text()))
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in rules.iter_errors(document)]
