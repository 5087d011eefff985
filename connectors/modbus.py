"""Modbus TCP: a declared register map, polled in few requests; orders as register and coil writes.

Addresses are `[unit/]table:number[.bit]`: table is coil, discrete, input or holding, the number the one on the wire (0 is
the register manuals call 40001). Types: uint16, int16, uint32, int32, uint64, int64, float32, float64; word order as
bytes arrive: ABCD, CDAB, BADC, DCBA.
"""

from __future__ import annotations

import asyncio
import logging
import re
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.bindings import Binding, Bindings
from connectors.credentials import tls_of
from connectors.field import HUNG_SECS, FieldConnector, LineLost
from connectors.orders import CannotWrite
from twin.park import SourceSpec
from twin.registry import PointTable

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.pdu import ModbusPDU

TYPES = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "uint64": ">Q", "int64": ">q",
         "float32": ">f", "float64": ">d"}
_ADDRESS = re.compile(r"(?:(\d+)/)?(coil|discrete|input|holding):(\d+)(?:\.(\d+))?")
_FULLEST = {"coil": 2000, "discrete": 2000, "input": 120, "holding": 120}
_GAP = 8
#: exception codes of a gateway whose device behind it does not answer
_SILENT_BEHIND = (10, 11)
ANSWER_SECS = 3.0


@dataclass(frozen=True, slots=True)
class Register:
    """Where a value lies: `count` registers (or one bit) from `start`; `bit` within the register, -1 for all of it."""

    unit: int
    table: str
    start: int
    count: int
    code: str
    order: str
    bit: int = -1

    def value_of(self, words: Sequence[int]) -> float | bool:
        """The raw value in its registers as they arrived."""
        if self.table in ("coil", "discrete"):
            return bool(words[0])
        if self.bit >= 0:
            return bool(words[0] >> self.bit & 1)
        return struct.unpack(self.code, _turned(words, self.order))[0]

    def words_of(self, value: float) -> list[int]:
        """A value as registers. Raises ValueError when it does not fit."""
        try:
            data = struct.pack(self.code, value if self.code in (">f", ">d") else round(value))
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{value:g} does not fit its registers") from error
        words = struct.unpack(f">{self.count}H", data)
        return list(struct.unpack(f">{self.count}H", _turned(words, self.order)))


@dataclass(slots=True)
class Block:
    """Neighbours read with one request."""

    unit: int
    table: str
    start: int
    end: int
    rows: list[tuple[Binding, Register]]


def register_of(address: str, kind: str, order: str, unit: int) -> Register:
    """A register map's cell, parsed. Raises ValueError with what is wrong."""
    found = _ADDRESS.fullmatch(address.lower())
    if not found:
        raise ValueError(f"address '{address}' is not like holding:100, 3/input:7 or holding:4.0")
    if (kind := kind or "uint16") not in TYPES and kind not in ("bit", "bool"):
        raise ValueError(f"type '{kind}' is not one of {', '.join(TYPES)}")
    if order not in ("ABCD", "CDAB", "BADC", "DCBA"):
        raise ValueError(f"order '{order}' is not one of ABCD, CDAB, BADC, DCBA")
    is_bit = found[2] in ("coil", "discrete") or found[4] is not None
    code = ">H" if is_bit else TYPES.get(kind, ">H")
    bit, start, count = int(found[4] or -1) if found[4] else -1, int(found[3]), struct.calcsize(code) // 2
    if start + count > 65536 or bit > 15:
        raise ValueError(f"address '{address}' is beyond 65535, or its bit beyond 15")
    return Register(int(found[1] or unit), found[2], start, count, code, order, bit)


def blocks_of(rows: Iterable[tuple[Binding, Register]]) -> list[Block]:
    """Registers near each other read together: gaps of up to 8, at most 120 registers or 2000 bits a request."""
    blocks: list[Block] = []
    for binding, at in sorted(rows, key=lambda row: (row[1].unit, row[1].table, row[1].start)):
        last = blocks[-1] if blocks else None
        end = at.start + at.count
        if (last and (last.unit, last.table) == (at.unit, at.table) and at.start <= last.end + _GAP
                and end - last.start <= _FULLEST[at.table]):
            last.rows.append((binding, at))
            last.end = max(last.end, end)
        else:
            blocks.append(Block(at.unit, at.table, at.start, end, [(binding, at)]))
    return blocks


class ModbusConnector(FieldConnector):
    """One Modbus TCP server, or a gateway with several units behind it."""

    def __init__(self, source: SourceSpec, points: PointTable, bindings: Bindings) -> None:
        from pymodbus.exceptions import ModbusException

        super().__init__(source.id, points, bindings)
        self.lost = (OSError, TimeoutError, ModbusException)
        self._source, (self._host, self._port) = source, at_of(source)
        read = self.understood(lambda b: register_of(b.address, b.type, b.order or source.order, source.unit))
        written = self.understood(lambda b: register_of(b.write, b.type, b.order or source.order, source.unit),
                                  lambda b: bool(b.write))
        self._writes = {binding.slot: at for binding, at in written}
        self._registers = {binding.slot: at for binding, at in read}
        self._blocks = blocks_of(read)
        self._client: AsyncModbusTcpClient | None = None
        self.hung_secs = max(HUNG_SECS, 3 * source.poll_secs)

    async def talk(self) -> None:
        """Poll every block until a whole round brings nothing."""
        client = client_of(self._source)
        try:
            if not await client.connect():
                raise LineLost(f"{self._host}:{self._port} does not answer")
            self._client, due = client, time.monotonic()
            while True:
                answered = [await self._poll(client, block) for block in list(self._blocks)]
                if not client.connected or (answered and not any(answered)):
                    raise LineLost(f"{self._host}:{self._port} went away")
                self.up(f"{self._host}:{self._port}")
                due = max(due + self._source.poll_secs, time.monotonic())
                await asyncio.sleep(due - time.monotonic())
        finally:
            self._client = None
            client.close()

    async def write(self, binding: Binding, value: float | str) -> None:
        """One coil, or the registers of one point."""
        at = self._writes.get(binding.slot)
        if self._client is None or at is None or at.bit >= 0 or at.table in ("input", "discrete"):
            raise CannotWrite(f"{binding.write} cannot be written")
        if at.table == "coil":
            answer = await self._client.write_coil(at.start, bool(float(value)), device_id=at.unit)
        elif at.count == 1:
            answer = await self._client.write_register(at.start, at.words_of(float(value))[0], device_id=at.unit)
        else:
            answer = await self._client.write_registers(at.start, at.words_of(float(value)), device_id=at.unit)
        if answer.isError():
            raise CannotWrite(f"the device refused to write {binding.write} ({_why(answer)})")

    async def read_back(self, bindings: Sequence[Binding]) -> None:
        """Poll the written points now rather than at their turn."""
        rows = [(b, self._registers[b.slot]) for b in bindings if b.slot in self._registers]
        for block in blocks_of(rows):
            if self._client is not None:
                await self._poll(self._client, block)

    async def _poll(self, client: AsyncModbusTcpClient, block: Block) -> bool:
        """Read a block; whether anybody answered."""
        from pymodbus.exceptions import ModbusException

        try:
            answer = await read_block(client, block)
        except (ModbusException, TimeoutError) as error:
            self.refuse(f"unit {block.unit} does not answer", error)
            self.lose(binding for binding, _ in block.rows)
            return False
        if not answer.isError():
            words: Sequence[int] = answer.bits if block.table in ("coil", "discrete") else answer.registers
            for binding, at in block.rows:
                begin = at.start - block.start
                found = words[begin:begin + at.count]
                self.hear(binding, at.value_of(found) if len(found) == at.count else None)
        elif answer.exception_code in _SILENT_BEHIND:
            self.refuse(f"unit {block.unit} behind the gateway does not answer")
            self.lose(binding for binding, _ in block.rows)
        elif len(block.rows) > 1:  # one address of them is not there: from now on each is asked for alone
            self._split(block)
        else:
            self.refuse(f"{block.rows[0][0].address}: {_why(answer)}")
            self.hear(block.rows[0][0], None)
        return True

    def _split(self, block: Block) -> None:
        if block in self._blocks:
            self._blocks.remove(block)
            self._blocks += [Block(at.unit, at.table, at.start, at.start + at.count, [(b, at)]) for b, at in block.rows]


def client_of(source: SourceSpec) -> AsyncModbusTcpClient:
    """A client of a source's server, not yet connected; it tries once, trying again is ours."""
    from pymodbus.client import AsyncModbusTcpClient, AsyncModbusTlsClient

    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it says of a lost line is said by the link
    host, port = at_of(source)
    if source.scheme == "modbus+tls":
        return AsyncModbusTlsClient(host, sslctx=tls_of(source), port=port, retries=0, reconnect_delay=0, timeout=ANSWER_SECS)
    return AsyncModbusTcpClient(host, port=port, retries=0, reconnect_delay=0, timeout=ANSWER_SECS)


def at_of(source: SourceSpec) -> tuple[str, int]:
    """Host and port; 502, or 802 with TLS, where the url names none."""
    parts = urlsplit(source.url)
    return parts.hostname or "127.0.0.1", parts.port or (802 if source.scheme == "modbus+tls" else 502)


async def read_block(client: AsyncModbusTcpClient, block: Block) -> ModbusPDU:
    """One request for a block; the answer may be an exception's."""
    ask = {"coil": client.read_coils, "discrete": client.read_discrete_inputs, "input": client.read_input_registers,
           "holding": client.read_holding_registers}[block.table]
    return await ask(block.start, count=block.end - block.start, device_id=block.unit)


def _turned(words: Sequence[int], order: str) -> bytes:
    """Registers as big-endian bytes, or back: every word order undoes itself."""
    turned = list(reversed(words)) if order in ("CDAB", "DCBA") else list(words)
    return struct.pack(f"{'<' if order in ('BADC', 'DCBA') else '>'}{len(turned)}H", *turned)


def _why(answer: ModbusPDU) -> str:
    known = {1: "it knows no such function", 2: "there is no such address", 3: "it takes no such value",
             4: "it failed", 6: "it is busy"}
    return known.get(answer.exception_code, f"exception {answer.exception_code}")
