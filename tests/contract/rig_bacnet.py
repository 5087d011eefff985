"""A bacpypes3 device on loopback."""

from __future__ import annotations

import socket

from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.local.analog import AnalogInputObject, AnalogValueObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.multistate import MultiStateInputObject
from bacpypes3.pdu import IPv4Address
from rig import STATES, ServerRig, free_port

from connectors.bacnet import BacnetConnector
from twin.ports import Connector


class BacnetRig(ServerRig):
    name = "bacnet"
    rows = """device,point,address,states,write
AHU-1,supply_temp,"analog-input,1",,
AHU-1,status,"multi-state-input,1",1=off 2=run 3=fault,
AHU-1,supply_setpoint,"analog-value,1",,"analog-value,1@8"
"""

    def __init__(self, folder) -> None:  # type: ignore[no-untyped-def]
        super().__init__(folder)
        self.port = free_port(socket.SOCK_DGRAM)

    def connector(self) -> Connector:
        return BacnetConnector(self.source(local="127.0.0.1:0"), self.points, self.bindings())

    @property
    def url(self) -> str:
        return f"bacnet://127.0.0.1:{self.port}"

    async def start(self) -> None:
        device = DeviceObject(objectIdentifier=("device", 1001), objectName="AHU controller", vendorIdentifier=999)
        self.app = NormalApplication(device, IPv4Address(f"127.0.0.1:{self.port}"))
        self.temp = AnalogInputObject(objectIdentifier=("analog-input", 1), objectName="AHU1.Supply", presentValue=0.0,
                                      eventState="normal", outOfService=False, units="degreesCelsius")
        self.mode = MultiStateInputObject(objectIdentifier=("multi-state-input", 1), objectName="AHU1.Mode", presentValue=1,
                                          numberOfStates=3, eventState="normal", outOfService=False)
        self.set = AnalogValueObject(objectIdentifier=("analog-value", 1), objectName="AHU1.Setpoint", presentValue=16.0,
                                     eventState="normal", outOfService=False, units="degreesCelsius")
        for thing in (self.temp, self.mode, self.set):
            self.app.add_object(thing)

    async def stop(self) -> None:
        self.app.close()

    async def say(self, temp: float, status: str, at: float) -> None:
        self.temp.presentValue = temp
        self.mode.presentValue = STATES.index(status) + 1

    async def say_bad(self) -> None:
        self.temp.reliability = "noSensor"

    async def say_nonsense(self) -> None:
        self.app.delete_object(self.set)

    async def setpoint(self) -> float | None:
        return float(self.set.presentValue)
