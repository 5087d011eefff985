"""Who is let in, and to whom we speak: passwords, certificates, tokens of every protocol that has them."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import gmqtt
import pytest
from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from certificates import Authority, Pair
from gmqtt.mqtt.constants import MQTTv50
from rig import Ears, Rig, until
from rig_modbus import ModbusRig
from rig_mqtt import OwnTopicsRig
from rig_opcua import OpcUaRig

from connectors.modbus import ModbusConnector
from connectors.mqtt import Broker, MqttConnector
from connectors.opcua import OpcUaConnector
from connectors.sources import Sources
from twin.errors import ParkFileError
from twin.park import SourceSpec
from twin.ports import Connector

SECRET = "hunter-of-snarks-42"
PASSWD = shutil.which("mosquitto_passwd")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server_pair(authority: Authority) -> Pair:
    return authority.sign("server", "urn:park:server")


@pytest.fixture(scope="module")
def our_pair(authority: Authority) -> Pair:
    return authority.sign("parktwin", "urn:parktwin:test")


@asynccontextmanager
async def heard(connector: Connector, rig: Rig) -> AsyncIterator[Ears]:
    """What a connector says while the block runs."""
    ears = Ears(rig.points)
    connector.first_wait_secs = connector.longest_wait_secs = 0.1  # type: ignore[attr-defined]
    task = asyncio.create_task(Sources([connector], rig.points).run(ears))
    try:
        yield ears
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def is_refused(connector: Connector, rig: Rig, *words: str) -> None:
    """Its line never comes up, and why is said without the secret."""
    async with heard(connector, rig) as ears:
        await until(lambda: sum(not is_live for _, is_live, _ in ears.links) >= 2, "it is refused, twice")
        assert not any(is_live for _, is_live, _ in ears.links)
        text = ears.links[-1][2]
        assert SECRET not in text
        assert any(word in text.casefold() for word in words), text


# ---- MQTT ----------------------------------------------------------------------------------------------------------------
class PasswordRig(OwnTopicsRig):
    """A broker that knows one user."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if PASSWD is None:
            pytest.skip("mosquitto_passwd is not installed: apt-get install mosquitto")
        subprocess.run([PASSWD, "-b", "-c", str(folder / "passwd"), "twin", SECRET], check=True, capture_output=True)
        self.config = f"allow_anonymous false\npassword_file {folder / 'passwd'}"

    async def join(self, device: gmqtt.Client) -> None:
        device.set_auth_credentials("twin", SECRET)
        await super().join(device)

    def of(self, url: str, **more: object) -> Connector:
        source = SourceSpec(id="field", url=url, **more)  # type: ignore[arg-type]
        return MqttConnector(Broker.of(source, self.folder), "tiny", self.points, name="field")


async def test_a_broker_lets_in_the_user_with_the_password_from_its_file(tmp_path: Path) -> None:
    rig = PasswordRig(tmp_path)
    url = f"mqtt://127.0.0.1:{rig.port}"
    (tmp_path / "secret").write_text(SECRET + "\n", "utf-8")
    (tmp_path / "wrong").write_text("nobody", "utf-8")
    await rig.start()
    try:
        async with heard(rig.of(url, user="twin", password="file:secret"), rig) as ears:
            await until(lambda: ears.is_live, f"let in: {ears.links}")
            await rig.say(21.0, "run", time.time())
            await until(lambda: ears.value.get("AHU-1.supply_temp") == 21.0, "a value is heard")
        await is_refused(rig.of(url, user="twin", password="file:wrong"), rig, "authori", "password")
        await is_refused(rig.of(url), rig, "authori", "password")
    finally:
        await rig.stop()


class TlsRig(OwnTopicsRig):
    """A broker that speaks TLS only, to clients with a certificate of the authority."""

    def __init__(self, folder: Path, authority: Authority, pair: Pair, ours: Pair) -> None:
        super().__init__(folder)
        self.config = (f"allow_anonymous true\ncafile {authority.cert}\ncertfile {pair.cert}\nkeyfile {pair.key}\n"
                       "require_certificate true")
        self.context = ssl.create_default_context(cafile=str(authority.cert))
        self.context.load_cert_chain(ours.cert, ours.key)

    async def join(self, device: gmqtt.Client) -> None:
        await device.connect("127.0.0.1", self.port, ssl=self.context, version=MQTTv50)


async def test_a_broker_on_tls_is_believed_by_its_authority_alone(tmp_path: Path, authority: Authority, server_pair: Pair,
                                                                 our_pair: Pair) -> None:
    rig = TlsRig(tmp_path, authority, server_pair, our_pair)
    url = f"mqtts://127.0.0.1:{rig.port}"

    def connector(**more: object) -> Connector:
        source = SourceSpec(id="field", url=url, **more)  # type: ignore[arg-type]
        return MqttConnector(Broker.of(source, tmp_path), "tiny", rig.points, name="field")

    await rig.start()
    try:
        async with heard(connector(ca=authority.cert, cert=our_pair.cert, key=our_pair.key), rig) as ears:
            await until(lambda: ears.is_live, f"let in: {ears.links}")
            await rig.say(22.0, "run", time.time())
            await until(lambda: ears.value.get("AHU-1.supply_temp") == 22.0, "a value is heard")
        await is_refused(connector(cert=our_pair.cert, key=our_pair.key), rig, "certificate verify failed")
        stranger = Authority(tmp_path, "stranger").sign("nobody")
        await is_refused(connector(ca=authority.cert, cert=stranger.cert, key=stranger.key), rig, "hung up", "reset")
    finally:
        await rig.stop()


# ---- Modbus --------------------------------------------------------------------------------------------------------------
async def test_modbus_over_tls(tmp_path: Path, authority: Authority, server_pair: Pair, our_pair: Pair) -> None:
    rig = ModbusRig(tmp_path)
    rig.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.cert))
    rig.tls.load_cert_chain(server_pair.cert, server_pair.key)
    rig.tls.verify_mode = ssl.CERT_REQUIRED
    bindings = rig.bindings()

    def connector(**more: object) -> Connector:
        url = f"modbus+tls://127.0.0.1:{rig.port}"
        return ModbusConnector(SourceSpec(id="field", url=url, poll_secs=0.1, **more), rig.points, bindings)  # type: ignore[arg-type]

    await rig.start()
    try:
        await rig.say(21.0, "run", 0.0)
        async with heard(connector(ca=authority.cert, cert=our_pair.cert, key=our_pair.key), rig) as ears:
            await until(lambda: ears.value.get("AHU-1.supply_temp") == 21.0, f"a value is heard: {ears.links}")
        await is_refused(connector(cert=our_pair.cert, key=our_pair.key), rig, "does not answer", "certificate")
    finally:
        await rig.stop()


# ---- OPC UA --------------------------------------------------------------------------------------------------------------
class OnePerson:
    """Knows one user."""

    def get_user(self, iserver: object, username: str | None = None, password: str | None = None,
                 certificate: object = None) -> User | None:
        return User(role=UserRole.User) if (username, password) == ("twin", SECRET) else None


class SecureOpcUaRig(OpcUaRig):
    """A server that speaks signed and encrypted only."""

    name = "opcua-secure"
    pair: Pair

    async def made(self) -> Server:
        server = Server(user_manager=OnePerson())  # type: ignore[arg-type]
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.set_application_uri("urn:park:server")
        await server.load_certificate(self.pair.cert)
        await server.load_private_key(self.pair.key)
        return server


async def test_opcua_signed_encrypted_and_signed_in(tmp_path: Path, server_pair: Pair, our_pair: Pair,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    rig = SecureOpcUaRig(tmp_path)
    rig.pair = server_pair
    bindings = rig.bindings()
    monkeypatch.setenv("PARKTWIN_OPCUA", SECRET)
    monkeypatch.setenv("PARKTWIN_WRONG", "nobody")

    def connector(**more: object) -> Connector:
        return OpcUaConnector(SourceSpec(id="field", url=rig.url, **more), tmp_path, rig.points, bindings)  # type: ignore[arg-type]

    safe = {"security": "Basic256Sha256,SignAndEncrypt", "cert": our_pair.cert, "key": our_pair.key, "ca": server_pair.cert}
    await rig.start()
    try:
        async with heard(connector(**safe, user="twin", password="env:PARKTWIN_OPCUA"), rig) as ears:
            await until(lambda: ears.is_live, f"let in: {ears.links}")
            await rig.say(21.0, "run", time.time())
            await until(lambda: ears.value.get("AHU-1.supply_temp") == 21.0, "a value is heard")
        await is_refused(connector(**safe, user="twin", password="env:PARKTWIN_WRONG"), rig, "access", "user", "identity")
        await is_refused(connector(user="twin", password="env:PARKTWIN_OPCUA"), rig, "endpoint", "policy")
        other = {**safe, "ca": our_pair.cert}
        await is_refused(connector(**other, user="twin", password="env:PARKTWIN_OPCUA"), rig, "")
    finally:
        await rig.stop()


# ---- where secrets are kept ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ["env:PARKTWIN_NO_SUCH", "file:no/such/file"])
def test_a_secret_that_is_not_there_is_said_with_its_line(tmp_path: Path, where: str) -> None:
    source = SourceSpec(id="field", url="mqtt://127.0.0.1", password=where, line=7)
    with pytest.raises(ParkFileError, match=r"park\.toml:7.*field"):
        Broker.of(source, tmp_path)


