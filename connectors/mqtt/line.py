"""A line to an MQTT 5 broker: signed in, subscribed, watched. What messages mean is the subclass's."""

from __future__ import annotations

import abc
import asyncio
import hashlib
import logging
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import gmqtt
from gmqtt.mqtt.constants import MQTTv50

from connectors.bindings import Bindings
from connectors.credentials import password_of, tls_of
from connectors.field import FieldConnector, LineLost
from twin.park import SourceSpec
from twin.registry import PointTable

CONNECT_SECS = 10.0
KEEPALIVE_SECS = 10
MAX_BYTES = 4_000_000
SESSION_SECS = 3600
#: gmqtt tries once more with 0, and for ever with -1
_NEVER = -2
log = logging.getLogger(__name__)
_silent = logging.getLogger(f"{__name__}.gmqtt")  # what it says of a lost line is said by the link
_silent.disabled = True


def session_of(state: Path, source: str) -> str:
    """A name of its own for one source of one server, the same after a restart.

    By machine and state folder; the folder itself and not only its path, as volumes of several servers have the same path.
    """
    folder = state.stat().st_ino if state.exists() else 0
    return hashlib.sha256(f"{socket.gethostname()} {state.resolve()} {folder} {source}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where a broker is and how to sign in; `tls` is None for a plain line.

    `session` names a session the broker keeps while we are away, with what is said meanwhile; '' for none.
    """

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    session: str = ""

    @classmethod
    def at(cls, url: str) -> Broker:
        """From mqtt://[user:password@]host[:port], or mqtts:// for TLS with the system's authorities."""
        parts = urlsplit(url)
        tls = ssl.create_default_context() if parts.scheme.endswith("s") else None
        return cls(host=parts.hostname or "127.0.0.1", port=parts.port or (8883 if tls else 1883),
                   user=unquote(parts.username or ""), password=unquote(parts.password or ""), tls=tls)

    @classmethod
    def of(cls, source: SourceSpec, root: Path) -> Broker:
        """From a [[source]], with its own certificates and password. Raises ParkFileError where those are not there."""
        parts = urlsplit(source.url)
        tls = tls_of(source) if parts.scheme.endswith("s") else None
        return cls(host=parts.hostname or "127.0.0.1", port=parts.port or (8883 if tls else 1883),
                   user=source.user or unquote(parts.username or ""),
                   password=password_of(source, root) or unquote(parts.password or ""), tls=tls)


class OverMqtt(FieldConnector):
    """A connector whose server is a broker. A subclass gives `topics` and `on_message`."""

    lost = (OSError, TimeoutError, gmqtt.MQTTConnectError)
    will: gmqtt.Message | None = None

    def __init__(self, name: str, broker: Broker, points: PointTable, bindings: Bindings, client_id: str) -> None:
        super().__init__(name, points, bindings)
        self._broker, self._client_id = broker, client_id
        self._client: gmqtt.Client | None = None

    @abc.abstractmethod
    def topics(self) -> Sequence[str]:
        """What to subscribe to, once connected."""

    @abc.abstractmethod
    def on_message(self, topic: str, payload: bytes) -> None:
        """A message; ValueError says that it cannot be used."""

    def greet(self) -> None:
        """Just subscribed."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """At least once. Raises LineLost without a line, or when the broker takes no more just now."""
        if self._client is None or not self._client.is_connected:
            raise LineLost("no line to the broker")
        try:
            self._client.publish(topic, payload, qos=1, retain=retain)
        except OverflowError as error:
            raise LineLost("the broker has not yet taken what was sent before") from error

    async def talk(self) -> None:
        """Connect, subscribe, stay."""
        gone = asyncio.Event()
        client = self._make_client(gone)
        at = f"{self._broker.host}:{self._broker.port}"
        try:
            await self._connect(client, gone)
            for topic in self.topics():
                client.subscribe(topic, qos=1)
            self._client = client
            self.up(at)
            self.greet()
            await gone.wait()
            raise LineLost("the broker went away")
        except gmqtt.MQTTConnectError as error:
            raise LineLost(f"{at}: {error}") from error
        except ssl.SSLError as error:
            raise LineLost(f"{at}: TLS failed ({error})") from error
        except (OSError, TimeoutError) as error:
            raise LineLost(f"{at}: {str(error) or 'does not answer'}") from error
        finally:
            self._client = None
            await _leave(client)

    async def _connect(self, client: gmqtt.Client, gone: asyncio.Event) -> None:
        """Signed in, or the reason why not; a broker that hangs up first is not waited for."""
        joining = asyncio.ensure_future(client.connect(
            self._broker.host, self._broker.port, version=MQTTv50, keepalive=KEEPALIVE_SECS, ssl=self._broker.tls or False))
        hung_up = asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait((joining, hung_up), timeout=CONNECT_SECS, return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                joining.result()
            else:
                raise LineLost("hung up before it let us in; it may want a user or a certificate" if gone.is_set() else "")
        finally:
            joining.cancel()
            hung_up.cancel()

    def _make_client(self, gone: asyncio.Event) -> gmqtt.Client:
        session = self._broker.session
        kept = {"session_expiry_interval": SESSION_SECS} if session else {}
        client = gmqtt.Client(f"{self._client_id}-{session or f'{time.time_ns():x}'}", clean_session=not session,
                              will_message=self.will, logger=_silent, **kept)
        client.set_config({"reconnect_retries": _NEVER})
        if self._broker.user:
            client.set_auth_credentials(self._broker.user, self._broker.password)
        client.on_message = self._on_packet
        client.on_disconnect = lambda *_: gone.set()
        return client

    def _on_packet(self, _client: object, topic: str, payload: bytes, _qos: int, _properties: object) -> int:
        data = bytes(payload)
        if len(data) > MAX_BYTES:
            self.refuse("too large", topic)
            return 0
        try:
            self.on_message(topic, data)
        except (ValueError, RecursionError) as error:  # what a decoder says of bytes it cannot use
            self.refuse(type(error).__name__, f"{topic}: {error}")
        return 0


async def _leave(client: gmqtt.Client) -> None:
    try:
        await asyncio.wait_for(client.disconnect(), 2.0)
    except (OSError, TimeoutError, AttributeError):  # gmqtt has no connection to close when it never had one
        log.debug("the broker did not say goodbye")
