"""Large answers are made once and sent as the browser takes them."""

import gzip
import json

from starlette.requests import Request

from ioc.http.kept import Kept


def _request(**headers: str) -> Request:
    return Request({"type": "http", "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]})


def test_an_answer_is_made_once() -> None:
    made: list[int] = []
    kept = Kept({"tree": lambda: made.append(1) or {"nodes": [1, 2]}})
    first, second = kept.answer("tree", _request()), kept.answer("tree", _request())
    assert made == [1]
    assert json.loads(first.body) == {"nodes": [1, 2]}
    assert first.body == second.body


def test_it_is_compressed_where_the_browser_takes_it() -> None:
    answer = Kept({"tree": lambda: {"nodes": []}}).answer("tree", _request(accept_encoding="gzip, br"))
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body)) == {"nodes": []}


def test_a_browser_that_has_it_gets_no_body() -> None:
    kept = Kept({"tree": lambda: {"nodes": []}})
    etag = kept.answer("tree", _request()).headers["etag"]
    assert kept.answer("tree", _request(if_none_match=etag)).status_code == 304
