"""Every string exists in both languages, and every key the pages ask for exists."""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WORDS = ROOT / "assets" / "i18n"
PAGES = {lang: [json.loads(path.read_text(encoding="utf-8")) for path in sorted(WORDS.glob(f"*{lang}.json"))]
         for lang in ("zh", "en")}
BOOKS = {lang: {key: text for book in books for key, text in book.items()} for lang, books in PAGES.items()}
SOURCES = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "assets/viewer/src").rglob("*.ts*"))


def test_both_languages_have_the_same_keys() -> None:
    assert sorted(BOOKS["zh"]) == sorted(BOOKS["en"])


def test_a_key_belongs_to_one_room() -> None:
    assert sum(len(book) for book in PAGES["zh"]) == len(BOOKS["zh"])


def test_placeholders_agree() -> None:
    holes = re.compile(r"\{(\w+)\}")
    for key, text in BOOKS["zh"].items():
        assert sorted(holes.findall(text)) == sorted(holes.findall(BOOKS["en"][key])), key


def test_every_key_asked_for_exists() -> None:
    asked = set(re.findall(r'\bsay\("([\w.]+)"', SOURCES)) | set(re.findall(r'"((?:channel|tool)\.\w+)"', SOURCES))
    assert asked
    assert asked - set(BOOKS["zh"]) == set()


def test_every_refusal_has_words_in_both_languages_and_they_are_filled() -> None:
    """Every `code=` of an error (and every Refusal) in the server's sources, with the names its words are filled with."""
    found: dict[str, set[str]] = {}
    told = [path for room in ("twin", "ioc", "overlays") for path in (ROOT / room).rglob("*.py")]
    for path in (*told, ROOT / "scenes/schemes/result.py", ROOT / "scenes/targets.py"):
        for call in (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)):
            named = {k.arg: k.value for k in call.keywords}
            code, fill = named.get("code"), named.get("fill")
            names = {k.value for k in fill.keys if isinstance(k, ast.Constant)} if isinstance(fill, ast.Dict) else set()
            if getattr(call.func, "id", "") == "Refusal":
                code, names = call.args[2], set(named)
            if getattr(call.func, "id", "") == "Fault" and len(call.args) > 2:
                code, fill = call.args[2], call.args[3] if len(call.args) > 3 else ast.Dict([], [])
                names = {"id"} | {k.value for k in fill.keys if isinstance(k, ast.Constant)}
            for one in ast.walk(code) if code is not None else ():
                if isinstance(one, ast.Constant) and re.fullmatch(r"[a-z]+\.[a-z_]+", str(one.value)):
                    found.setdefault(str(one.value), set()).update(map(str, names))
    fences = set(re.findall(r'"(fence\.[a-z_]+)"', (ROOT / "twin/fences.py").read_text(encoding="utf-8")))
    found |= {code: {"id", "node"} for code in fences if code not in ("fence.added", "fence.removed")}
    edits = set(re.findall(r'"(edit\.[a-z_]+)"', (ROOT / "twin/overrides.py").read_text(encoding="utf-8")))
    found |= {code: {"key", "why"} for code in edits}
    assert len(found) > 60
    assert {key.removeprefix("refusal.") for key in BOOKS["en"] if key.startswith("refusal.")} - set(found) == {
        "line", "request.shape", "replay.past"}, "words of refusals there are no more"
    for code, names in found.items():
        assert set(re.findall(r"\{(\w+)\}", BOOKS["en"].get(f"refusal.{code}", "{no words}"))) <= names, code
