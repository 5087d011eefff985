"""A pymodbus server: the temperature as a word-swapped float, the state as an integer, the set-point in tenths."""

from __future__ import annotations

import asyncio
import ssl
import struct

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice
from rig import STATES, ServerRig

from connectors.modbus import ModbusConnector
from twin.ports import Connector


class ModbusRig(ServerRig):
    name = "modbus"
    rows = """device,point,address,type,order,scale,states,write
AHU-1,supply_temp,holding:10,float32,CDAB,,,
AHU-1,status,input:3,uint16,,,0=off 1=run 2=fault,
AHU-1,supply_setpoint,holding:14,int16,,0.1,,=
"""
    broken: set[int]
    tls: ssl.SSLContext | None = None

    def connector(self) -> Connector:
        return ModbusConnector(self.source(), self.points, self.bindings())

    @property
    def url(self) -> str:
        return f"modbus://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.broken = set()
        self.words = getattr(self, "words", [0] * 32)
        self.inputs = getattr(self, "inputs", [0] * 32)
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        device = SimDevice(1, simdata=(bits, bits, [SimData(0, values=[0] * 32, datatype=DataType.REGISTERS)],
                                       [SimData(0, values=[0] * 32, datatype=DataType.REGISTERS)]), action=self.act)
        where = ("127.0.0.1", self.port)
        self.server = ModbusTlsServer(device, address=where, sslctx=self.tls) if self.tls else ModbusTcpServer(
            device, address=where)
        await self.server.serve_forever(background=True)

    async def stop(self) -> None:
        await self.server.shutdown()
        await asyncio.sleep(0)

    async def act(self, code: int, start: int, address: int, count: int, registers: list[int],
                  values: list[int] | list[bool] | None) -> ExcCodes | None:
        """Every request passes here: it reads our words, or sets them."""
        if self.broken & set(range(address, address + count)):
            return ExcCodes.ILLEGAL_ADDRESS
        if values is not None and code in (6, 16):
            self.words[address:address + count] = [int(v) for v in values]
        source = self.inputs if code == 4 else self.words
        registers[address - start:address - start + count] = source[address:address + count]
        return None

    async def say(self, temp: float, status: str, at: float) -> None:
        high, low = struct.unpack(">2H", struct.pack(">f", temp))
        self.words[10:12] = [low, high]
        self.inputs[3] = STATES.index(status)

    async def say_bad(self) -> None:
        self.broken = {11}

    async def say_nonsense(self) -> None:
        self.inputs[3] = 77
        self.broken = {14}

    async def setpoint(self) -> float | None:
        return self.words[14] / 10
