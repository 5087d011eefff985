"""Every string exists in both languages, and every key the pages ask for exists."""

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
