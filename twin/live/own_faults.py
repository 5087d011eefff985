"""Alarms about Parktwin itself: the history cannot write. They have rows of their own in the alarm book, as fences have."""

from __future__ import annotations

from dataclasses import dataclass

from twin.fences import PREFIX
from twin.pack_spec import Response

SYSTEM = "system:"
#: Beginnings of keys that are no rule of a point.
OWN = (PREFIX, SYSTEM)


@dataclass(frozen=True, slots=True)
class Fault:
    """What can be wrong with Parktwin, and what to do."""

    title: str
    title_zh: str
    response: Response


FAULTS = {"history": Fault(
    "History cannot write", "历史无法写入",
    Response(owner="Administrator", owner_zh="系统管理员", deadline_mins=30,
             steps=("Make room on the disk of the park's state folder; what waits is written by itself",
                    "Live values go on meanwhile; after some minutes rows that wait are dropped and counted"),
             steps_zh=("为园区 state 文件夹所在磁盘腾出空间；等待的数据会自动写入",
                       "期间实时数据不受影响；若持续数分钟，等待的数据将被丢弃并计数")))}
PRIORITY = 2
