"""Large answers are made once and sent as the browser takes them."""

import gzip
import json
import threading

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


def test_nobody_waits_while_what_is_seldom_asked_for_is_made() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def rows() -> object:
        begun.set()
        assert goes_on.wait(10)
        return {"nodes": [1]}

    kept = Kept({"columns": lambda: {"i": [1]}, "rows": rows}, seldom={"rows"})
    assert not begun.is_set(), "not before somebody asks"
    first = threading.Thread(target=kept.held, args=("rows",))
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=kept.held, args=("columns",))
    second.start()
    second.join(5)
    has_waited = second.is_alive()
    goes_on.set()
    first.join(10)
    second.join(10)
    assert not has_waited
    assert json.loads(kept.answer("rows", _request()).body) == {"nodes": [1]}
