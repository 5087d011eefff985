"""A Mosquitto of our own and a device on it: our own topics, somebody's JSON, Sparkplug B."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import gmqtt
import pytest
from gmqtt.mqtt.constants import MQTTv50
from rig import ServerRig, until

from connectors.mqtt import Broker, MappedMqttConnector, MqttConnector
from connectors.mqtt.sparkplug import SparkplugConnector
from connectors.mqtt.sparkplug_payload import Payload
from twin.ports import Connector

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class BrokerRig(ServerRig):
    """Starts and stops the broker, and keeps a device on it."""

    config = "allow_anonymous true"

    def __init__(self, folder: Path) -> None:
        if MOSQUITTO is None:
            pytest.skip("mosquitto is not installed: apt-get install mosquitto")
        super().__init__(folder)
        self.heard: list[tuple[str, bytes]] = []
        self.device: gmqtt.Client | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def broker(self) -> Broker:
        return Broker(host="127.0.0.1", port=self.port)

    @property
    def listens_to(self) -> str:
        return "#"

    async def start(self) -> None:
        conf = self.folder / "mosquitto.conf"
        conf.write_text(f"listener {self.port} 127.0.0.1\nuser root\n{self.config}\n", "utf-8")
        assert MOSQUITTO is not None
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await until(self._answers, "the broker listens")
        self.device = gmqtt.Client(f"device-{time.time_ns()}", will_message=self.will())
        self.device.set_config({"reconnect_retries": -2})
        self.device.on_message = self._on_message
        subscribed = asyncio.Event()
        self.device.on_subscribe = lambda *_: subscribed.set()
        await self.join(self.device)
        self.device.subscribe(self.listens_to, qos=1)
        await asyncio.wait_for(subscribed.wait(), 10)

    async def join(self, device: gmqtt.Client) -> None:
        """Sign the device in."""
        await device.connect("127.0.0.1", self.port, version=MQTTv50)

    def will(self) -> gmqtt.Message | None:
        return None

    async def stop(self) -> None:
        if self.device is not None:
            with contextlib.suppress(OSError):
                await self.device.disconnect()
            self.device = None
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait, 10)
            self.process = None

    def publish(self, topic: str, payload: bytes | dict) -> None:  # type: ignore[type-arg]
        assert self.device is not None
        self.device.publish(topic, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), qos=1)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _on_message(self, _client: object, topic: str, payload: bytes, *_: object) -> int:
        self.heard.append((topic, bytes(payload)))
        self.on_message(topic, bytes(payload))
        return 0

    def on_message(self, topic: str, payload: bytes) -> None:
        """What the device does with a message."""


class OwnTopicsRig(BrokerRig):
    name = "mqtt"
    tells_time, is_selective = True, False

    def connector(self) -> Connector:
        return MqttConnector(self.broker, "tiny", self.points)

    @property
    def listens_to(self) -> str:
        return "parktwin/tiny/+/command"

    def on_message(self, topic: str, payload: bytes) -> None:
        told = json.loads(payload)
        self.publish("parktwin/tiny/AHU-1/ack", {"id": told["id"], "accepted": True})
        self.set = told["args"]["value"]
        self.publish("parktwin/tiny/AHU-1/telemetry", {"ts": time.time() * 1000, "v": {"supply_setpoint": self.set}})

    async def say(self, temp: float, status: str, at: float) -> None:
        self.publish("parktwin/tiny/telemetry", {"ts": at * 1000, "d": {"AHU-1": {"supply_temp": temp, "status": status}}})

    async def say_bad(self) -> None:
        self.publish("parktwin/tiny/AHU-1/telemetry", {"ts": time.time() * 1000, "v": {"supply_temp": None}})

    async def say_nonsense(self) -> None:
        self.publish("parktwin/tiny/AHU-1/telemetry", b"{\xff")

    async def setpoint(self) -> float | None:
        return getattr(self, "set", None)


class MappedRig(BrokerRig):
    name = "mqtt-mapped"
    tells_time = True
    rows = """device,point,address,type,order,scale,offset,states,write
AHU-1,supply_temp,site/ahu/1#/air/0/t,,,0.1,,,
AHU-1,status,site/ahu/1#/mode,,,,,off=off auto=run err=fault,
AHU-1,supply_setpoint,site/ahu/1/sp,,,,,,site/ahu/1/set#/sp
"""

    def connector(self) -> Connector:
        return MappedMqttConnector(self.source(time="/at"), self.broker, self.points, self.bindings())

    @property
    def listens_to(self) -> str:
        return "site/ahu/1/set"

    def on_message(self, topic: str, payload: bytes) -> None:
        self.set = json.loads(payload)["sp"]
        self.publish("site/ahu/1/sp", str(self.set).encode())

    async def say(self, temp: float, status: str, at: float) -> None:
        mode = {"off": "off", "run": "auto", "fault": "err"}[status]
        self.publish("site/ahu/1", {"at": at, "mode": mode, "air": [{"t": temp * 10}]})

    async def say_bad(self) -> None:
        self.publish("site/ahu/1", {"at": time.time(), "mode": "auto", "air": [{"t": None}]})

    async def say_nonsense(self) -> None:
        self.publish("site/ahu/1", b'{"at": 17')

    async def setpoint(self) -> float | None:
        return getattr(self, "set", None)


class SparkplugRig(BrokerRig):
    name = "sparkplug"
    tells_time = True
    rows = """device,point,address,states,write
AHU-1,supply_temp,edge1/ahu:air/supply,,
AHU-1,status,edge1/ahu:mode,0=off 1=run -1=fault,
AHU-1,supply_setpoint,edge1/ahu:setpoint,,=
"""
    birth, seq, measured = 0, 0, 0.0

    def connector(self) -> Connector:
        return SparkplugConnector(self.source(), self.broker, self.points, self.bindings())

    @property
    def url(self) -> str:
        return f"sparkplug://127.0.0.1:{self.port}/PARK"

    @property
    def listens_to(self) -> str:
        return "spBv1.0/PARK/+/edge1/#"

    def will(self) -> gmqtt.Message | None:
        self.birth += 1
        death = Payload(timestamp=round(time.time() * 1000))
        death.metrics.add(name="bdSeq", datatype=8, long_value=self.birth)
        return gmqtt.Message("spBv1.0/PARK/NDEATH/edge1", death.SerializeToString(), qos=1)

    async def start(self) -> None:
        await super().start()
        self.told = getattr(self, "told", (0.0, 0, 16.0))
        self.be_born()

    def be_born(self) -> None:
        self.seq = -1
        birth = self.payload()
        birth.metrics.add(name="bdSeq", datatype=8, long_value=self.birth)
        birth.metrics.add(name="Node Control/Rebirth", datatype=11, boolean_value=False)
        self.send("NBIRTH/edge1", birth)
        born = self.payload()
        temp, mode, setpoint = self.told
        measured = round((self.measured or time.time()) * 1000)  # as measured, whenever it is told
        born.metrics.add(name="air/supply", alias=1, timestamp=measured, datatype=9, float_value=temp)
        born.metrics.add(name="mode", alias=2, timestamp=measured, datatype=2, int_value=mode & 0xFFFF)
        born.metrics.add(name="setpoint", alias=3, datatype=10, double_value=setpoint)
        self.send("DBIRTH/edge1/ahu", born)

    def payload(self, at: float = 0.0):  # type: ignore[no-untyped-def]
        self.seq = (self.seq + 1) % 256
        return Payload(timestamp=round((at or time.time()) * 1000), seq=self.seq)

    def send(self, place: str, message) -> None:  # type: ignore[no-untyped-def]
        self.publish(f"spBv1.0/PARK/{place}", message.SerializeToString())

    def on_message(self, topic: str, payload: bytes) -> None:
        message = Payload.FromString(payload)
        if topic == "spBv1.0/PARK/NCMD/edge1" and message.metrics[0].name == "Node Control/Rebirth":
            self.be_born()
        elif topic == "spBv1.0/PARK/DCMD/edge1/ahu":
            self.told = (*self.told[:2], message.metrics[0].double_value)
            data = self.payload()
            data.metrics.add(alias=3, datatype=10, double_value=self.told[2])
            self.send("DDATA/edge1/ahu", data)

    async def say(self, temp: float, status: str, at: float) -> None:
        self.told, self.measured = (temp, {"off": 0, "run": 1, "fault": -1}[status], self.told[2]), at
        data = self.payload(at)
        data.metrics.add(alias=1, float_value=temp)
        data.metrics.add(alias=2, int_value=self.told[1] & 0xFFFF)
        self.send("DDATA/edge1/ahu", data)

    async def say_bad(self) -> None:
        data = self.payload()
        data.metrics.add(alias=1, is_null=True)
        self.send("DDATA/edge1/ahu", data)

    async def say_nonsense(self) -> None:
        self.publish("spBv1.0/PARK/DDATA/edge1/ahu", b"\xff\xff\xff")

    async def setpoint(self) -> float | None:
        return self.told[2]
