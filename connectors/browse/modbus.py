"""Which registers of a Modbus unit answer. Modbus names nothing: what they mean is in the device's manual."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connectors.browse.offer import Offer, shown
from connectors.field import LineLost
from connectors.modbus import Block, client_of, read_block
from twin.park import SourceSpec

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

LAST = 1000
_AT_ONCE = 50


async def offers(source: SourceSpec, root: Path, secs: float) -> list[Offer]:
    """Holding and input registers, coils and discrete inputs 0–999 that answer and are not 0."""
    from pymodbus.exceptions import ModbusException

    client = client_of(source)
    try:
        if not await client.connect():
            raise LineLost(f"{source.url} does not answer")
        told: list[Offer] = []
        for table in ("holding", "input", "coil", "discrete"):
            for number, value in await _answering(client, source.unit, table):
                told.append(Offer(address=f"{table}:{number}", group=f"unit {source.unit}", name=f"{table} {number}",
                                  value=shown(value), can_write=table in ("holding", "coil"),
                                  type="" if table in ("coil", "discrete") else "uint16"))
        return told
    except ModbusException as error:
        raise LineLost(f"{source.url}: {error}") from error
    finally:
        client.close()


async def _answering(client: AsyncModbusTcpClient, unit: int, table: str) -> list[tuple[int, int]]:
    """(number, value) of what is not 0; a stretch that is refused is halved until it answers or is one alone."""
    found, spans = [], [(begin, min(begin + _AT_ONCE, LAST)) for begin in range(0, LAST, _AT_ONCE)]
    while spans:
        begin, end = spans.pop(0)
        answer = await read_block(client, Block(unit, table, begin, end, []))
        if not answer.isError():
            words = answer.bits if table in ("coil", "discrete") else answer.registers
            found += [(begin + n, int(word)) for n, word in enumerate(words[:end - begin]) if word]
        elif end - begin == _AT_ONCE and begin == 0 and answer.exception_code == 1:
            return []
        elif end - begin > 1 and (begin == 0 or found or end - begin < _AT_ONCE):
            middle = (begin + end) // 2
            spans = [(begin, middle), (middle, end), *spans]
    return sorted(found)
