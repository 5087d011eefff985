"""OPC UA: values by subscription, orders as writes; signed and encrypted where the park file says so.

Addresses are node ids (`ns=2;s=AHU1.SupplyTemp`, `ns=3;i=1042`). Quality is the value's status code, source time the
server's source timestamp.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.bindings import Binding, Bindings
from connectors.credentials import password_of
from connectors.field import HUNG_SECS, FieldConnector, LineLost
from connectors.orders import CannotWrite
from twin.park import SourceSpec
from twin.registry import PointTable
from twin.wire import Quality

if TYPE_CHECKING:
    from asyncua import Client, Node, ua

ANSWER_SECS = 4.0
ALIVE_SECS = 2.0
_AT_ONCE = 500


class OpcUaConnector(FieldConnector):
    """One OPC UA server."""

    speaks_on_change = True

    def __init__(self, source: SourceSpec, root: Path, points: PointTable, bindings: Bindings) -> None:
        from asyncua import ua

        super().__init__(source.id, points, bindings)
        self.lost = (OSError, TimeoutError, ua.UaError)
        self._source, self._root = source, root
        self._at = urlsplit(source.url).netloc.rpartition("@")[2]
        self._reads = self.understood(lambda b: ua.NodeId.from_string(b.address))
        self._writes = {b.slot: node for b, node in self.understood(lambda b: ua.NodeId.from_string(b.write),
                                                                    lambda b: bool(b.write))}
        self._client: Client | None = None
        self.hung_secs = max(HUNG_SECS, 6 * ANSWER_SECS)

    async def talk(self) -> None:
        """Subscribe to everything bound, then ask now and then whether the server still runs."""
        client = await open_client(self._source, self._root)
        try:
            try:
                async with asyncio.timeout(4 * ANSWER_SECS):
                    await client.connect()
            except (OSError, TimeoutError) as error:
                raise LineLost(f"{self._at}: {str(error) or 'does not answer'}") from error
            self._client = client
            self.up(self._at)
            await self._subscribe(client)
            while True:
                async with asyncio.timeout(ANSWER_SECS):
                    await client.nodes.server_state.read_value()
                self.up(self._at)
                await asyncio.sleep(ALIVE_SECS)
        except TimeoutError as error:
            raise LineLost(f"{self._at} does not answer any more") from error
        finally:
            self._client = None
            await _leave(client)

    async def write(self, binding: Binding, value: float | str) -> None:
        """Write a node in the type it has."""
        from asyncua import ua

        node_id = self._writes.get(binding.slot)
        if self._client is None or node_id is None:
            raise CannotWrite(f"{binding.write} cannot be written")
        node = self._client.get_node(node_id)
        try:
            kind = await node.read_data_type_as_variant_type()
            await node.write_value(ua.DataValue(ua.Variant(_as(kind, value), kind)))
        except ua.UaStatusCodeError as error:
            raise CannotWrite(f"the server refused to write {binding.write} ({type(error).__name__})") from error

    async def _subscribe(self, client: Client) -> None:
        by_node: dict[Any, list[Binding]] = {}
        for binding, node_id in self._reads:
            by_node.setdefault(node_id, []).append(binding)
        subscription = await client.create_subscription(min(self._source.poll_secs, 1.0) * 1000.0, _Ears(self, by_node))
        nodes = [client.get_node(node_id) for node_id in by_node]
        for begin in range(0, len(nodes), _AT_ONCE):
            several = nodes[begin:begin + _AT_ONCE]
            for node, result in zip(several, await subscription.subscribe_data_change(several), strict=True):
                if not isinstance(result, int):
                    for binding in by_node[node.nodeid]:
                        self.refuse(f"{binding.address}: {result.name}", binding.line)
                        self.hear(binding, None)


class _Ears:
    """What asyncua calls with every change."""

    def __init__(self, connector: OpcUaConnector, by_node: dict[Any, list[Binding]]) -> None:
        self._connector, self._by_node = connector, by_node

    def datachange_notification(self, node: Node, value: object, data: Any) -> None:
        """A value, its status and its time."""
        told: ua.DataValue = data.monitored_item.Value
        at = told.SourceTimestamp or told.ServerTimestamp
        severity = told.StatusCode.value >> 30 if told.StatusCode else 0
        quality = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)[severity]
        for binding in self._by_node.get(node.nodeid, ()):
            self._connector.hear(binding, value, _seconds(at), quality)


async def open_client(source: SourceSpec, root: Path) -> Client:
    """A client with the source's user, password and certificates, not yet connected.

    Raises:
        LineLost: a secure line needs the server's certificate first, and it does not answer.
        ParkFileError: the password is not where the park file says.
    """
    from asyncua import Client
    from asyncua.crypto import security_policies
    from asyncua.ua import MessageSecurityMode, UaError

    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # what it says of a lost line is said by the link
    client = Client(source.url, timeout=ANSWER_SECS)
    if source.user:
        client.set_user(source.user)
        client.set_password(password_of(source, root))
    if not source.security:
        return client
    policy, mode = source.security.split(",")
    if not source.cert or not source.key:
        raise LineLost("security needs a certificate: give cert and key in the park file")
    client.application_uri = _uri_in(source.cert)
    try:
        await client.set_security(getattr(security_policies, f"SecurityPolicy{policy.replace('_', '')}"),
                                  _file(source.cert), _file(source.key), mode=MessageSecurityMode[mode],
                                  server_certificate=_file(source.ca) if source.ca else None)
    except (OSError, TimeoutError, ValueError, UaError) as error:
        raise LineLost(f"{urlsplit(source.url).netloc.rpartition('@')[2]}: no secure line ({error})") from error
    return client


def _file(path: Path) -> Any:
    """A certificate or key for asyncua, PEM or DER by what it holds rather than by its name."""
    from asyncua.crypto.uacrypto import CertProperties

    data = path.read_bytes()
    return CertProperties(data, extension="pem" if data.lstrip().startswith(b"-----") else "der")


def _uri_in(certificate: Path) -> str:
    """The application URI a certificate is made out to; servers compare it."""
    from cryptography import x509

    data = certificate.read_bytes()
    read = x509.load_pem_x509_certificate if data.startswith(b"-----") else x509.load_der_x509_certificate
    try:
        names = read(data).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return next(iter(names.get_values_for_type(x509.UniformResourceIdentifier)), "urn:parktwin")
    except x509.ExtensionNotFound:
        return "urn:parktwin"


def _seconds(at: datetime | None) -> float:
    """OPC UA's times are UTC without saying so; 0 where there is none."""
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp() if at else 0.0


def _as(kind: ua.VariantType, value: float | str) -> object:
    """A value in the type a node has."""
    if kind.name == "String":
        return str(value)
    if kind.name == "Boolean":
        return bool(float(value))
    return float(value) if kind.name in ("Float", "Double") else round(float(value))


async def _leave(client: Client) -> None:
    from asyncua.ua import UaError

    try:
        async with asyncio.timeout(ANSWER_SECS):
            await client.disconnect()
    except (OSError, TimeoutError, UaError):
        client.disconnect_socket()
