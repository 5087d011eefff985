"""Names are taken out as whole words: of a longer word that begins like one nothing is touched."""

from __future__ import annotations

import numpy as np

from ioc.access.discreet import Discretion
from twin.graph import SceneGraph
from twin.ports import TrackInfo


class NoPlaces(SceneGraph):
    """A graph without nodes."""

    def __init__(self) -> None:
        self.columns = {"kind": np.zeros(0, object)}

    @property
    def size(self) -> int:
        return 0


def test_a_short_name_is_no_part_of_another_word() -> None:
    names = [("An", "安"), ("An Bo", "安博"), ("韩一渚", "韩一渚")]
    tracks = [TrackInfo(i=k, id=f"P-{k}", kind="person", name=name, name_zh=zh, role="guard")
              for k, (name, zh) in enumerate(names)]
    said = Discretion(NoPlaces(), tracks).text
    assert said("Another guard saw An.") == "Another guard saw guard."
    assert said("An Bo走了") == "guard走了"
    assert said("请韩一渚到达") != "请韩一渚到达"
    assert said("Annex, Hanover") == "Annex, Hanover"
