"""Pictures of a place as of a moment, for pages; drawn in one thread, since a window belongs to the one that made it."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

from ioc.incident_facts import blurred, seen_of
from ioc.live.replay import past_of
from ioc.services import Services
from scenes.moment_still import MomentStudio

SIZE, KEPT = (640, 360), 24


class StillDesk:
    """Stills asked for one by one; the last place stays set up, the last pictures are kept. Safe from several threads."""

    def __init__(self, services: Services, pool: ThreadPoolExecutor) -> None:
        self._services, self._pool = services, pool
        self._studio: tuple[int, MomentStudio] | None = None
        self.still = functools.lru_cache(maxsize=KEPT)(self._still)

    def _still(self, at_ms: int, node: int, sees_people: bool = False) -> bytes:
        """JPEG of the place around a node as it was; waits for its turn."""
        return self._pool.submit(self._draw, at_ms, node, sees_people).result()

    def _draw(self, at_ms: int, node: int, sees_people: bool) -> bytes:
        services, graph = self._services, self._services.graph
        place = graph.ancestor(node, "storey") or node
        if self._studio is None or self._studio[0] != place:
            if self._studio is not None:
                self._studio[1].close()
            self._studio = (place, MomentStudio(services.build_dir, graph, services.spaces, node, size=SIZE))
        past = past_of(services)
        past.seek(at_ms)
        seen, _ = seen_of(services, self._studio[1], past, node)
        return self._studio[1].shoot(seen if sees_people else blurred(services, seen))
