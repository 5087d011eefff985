"""Every variable below the Objects folder of an OPC UA server, its own diagnostics left out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.browse.offer import Offer, shown
from connectors.field import LineLost
from connectors.opcua import open_client
from twin.park import SourceSpec

if TYPE_CHECKING:
    from asyncua import Client, Node

MOST = 20_000
_AT_ONCE = 500
_WRITABLE = 2


async def offers(source: SourceSpec, root: Path, secs: float) -> list[Offer]:
    """All variables, folder by folder; the last folder is taken for the device."""
    from asyncua import ua

    client = await open_client(source, root)
    try:
        async with client:
            return await _offered(client)
    except ua.UaError as error:
        raise LineLost(str(error) or type(error).__name__) from error


async def _offered(client: Client) -> list[Offer]:
    from asyncua import ua

    found = [row async for row in _variables(client)]
    told: list[Offer] = []
    for begin in range(0, len(found), _AT_ONCE):
        nodes = [node for _, _, node in found[begin:begin + _AT_ONCE]]
        values = await client.read_attributes(nodes)
        levels = await client.read_attributes(nodes, ua.AttributeIds.AccessLevel)
        for (group, name, node), value, level in zip(found[begin:], values, levels, strict=False):
            told.append(Offer(
                address=node.nodeid.to_string(), group=group, name=name,
                value=shown(value.Value.Value) if value.Value is not None else "",
                can_write=bool(level.Value and int(level.Value.Value or 0) & _WRITABLE)))
    return told


async def _variables(client: Client) -> AsyncIterator[tuple[str, str, Node]]:
    """(folder, name, node), level by level; a node seen twice is told once."""
    from asyncua import ua

    level, seen, count = [("", client.nodes.objects)], set(), 0
    while level and count < MOST:
        below = []
        for folder, node in level:
            for child in await node.get_references(ua.ObjectIds.HierarchicalReferences, ua.BrowseDirection.Forward):
                if child.NodeId in seen or child.NodeId.NamespaceIndex == 0:
                    continue
                seen.add(child.NodeId)
                name, here = str(child.BrowseName.Name), client.get_node(child.NodeId)
                if child.NodeClass == ua.NodeClass.Variable:
                    count += 1
                    yield folder, name, here
                elif child.NodeClass == ua.NodeClass.Object:
                    below.append((name, here))
        level = below
