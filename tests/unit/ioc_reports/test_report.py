"""A report says in PDF what it was told: Chinese reads back, names are not markup, every page says whose it is."""

from __future__ import annotations

import datetime as dt
import io

import pypdf
import pytest
from PIL import Image

from ioc.pages.view import DIST
from ioc.reports.report import Bar, Curve, Report

pytestmark = pytest.mark.skipif(not (DIST / "parktwin.css").is_file(), reason="the viewer is not built")
MADE = dt.datetime(2026, 11, 18, 14, 20, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 180), "#8899aa").save(out, "PNG")
    return out.getvalue()


def _read(report: Report) -> list[str]:
    pages = pypdf.PdfReader(io.BytesIO(report.finish())).pages
    return [page.extract_text().replace("\n", "") for page in pages]


def _new() -> Report:
    return Report(title="方案比选报告", park="星河智慧园区", author="规划员 李娜", made=MADE)


def test_chinese_of_every_part_reads_back() -> None:
    report = _new()
    report.heading("一、指标")
    report.paragraph("容积率不大于 2.8，建筑密度不大于 28 %。龘靐齉")
    report.rows(["指标", "限值", "方案A"], [["总建筑面积", "≤ 84,000 m²", "82,392 m²"], ["退线", "≥ 10 m", "6.0 m"]],
                breaches=frozenset({(1, 2)}))
    report.bars([Bar(label="建筑高度", value=87, shown="87.0", limit=80, is_breach=True)], unit="m")
    report.curves([Curve(label="太阳高度角", points=[(8, 5.0), (12, 38.0), (13, None), (16, 7.0)])], unit="°",
                  x_ticks=[(8, "8:00"), (16, "16:00")])
    report.picture(_picture(), "图一 现状鸟瞰", share=0.5)
    report.pictures([(_picture(), "甲方案"), (_picture(), "乙方案")])
    text = "".join(_read(report))
    for words in ("方案比选报告", "容积率不大于 2.8", "82,392 m²", "退线", "建筑高度", "太阳高度角", "现状鸟瞰", "龘"):
        assert words in text, words


def test_names_are_plain_text() -> None:
    report = _new()
    report.paragraph("**粗** <b>x</b> __y__ \x00\x1b[31m")
    report.rows(["甲"], [["**a** --b-- [c](http://d)"]])
    text = "".join(_read(report))
    assert "**粗** <b>x</b> __y__" in text
    assert "**a** --b-- [c](http://d)" in text


def test_every_page_says_park_time_person_and_number() -> None:
    report = _new()
    for number in range(80):
        report.paragraph(f"第 {number} 行")
    pages = _read(report)
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert "星河智慧园区" in text
        assert "2026-11-18 14:20:00" in text
        assert "规划员 李娜" in text
        assert f"第 {number} 页" in text


def test_a_character_of_no_font_is_a_box() -> None:
    report = _new()
    report.paragraph("甲\U00013000乙✕丙")  # the second one is promised by the font's ranges, and not there
    assert "甲□乙□丙" in "".join(_read(report))
