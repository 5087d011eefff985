"""The steps of a build on a Dask cluster: the second pool beside `twin.workshop.LocalPool`.

Every worker is asked first what it would build with; one with other code or libraries gets no step, as its bytes might
differ. Files travel by content, unless the worker sees the same bytes at the same path.
"""

from __future__ import annotations

import logging
import queue
import socket
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scenes.cluster_work import Away, Cargo, identity, work
from twin.errors import TwinError
from twin.workshop import Bench, Step

if TYPE_CHECKING:
    from distributed import Client, Future

SEND_MOST_BYTES = 512 * 2**20
CONNECT_SECS = 10.0
LOOK_SECS = 2.0
PATIENCE_SECS = 60.0
TRIES = 3
Tell = Callable[[str], None]


class ClusterError(TwinError):
    """The cluster cannot do what it is asked."""


@contextmanager
def cluster(address: str, tell: Tell, *, patience_secs: float = PATIENCE_SECS) -> Iterator[ClusterPool]:
    """A cluster to build on.

    Args:
        address: of the scheduler, tcp://host:port, or tls://host:port with Dask's own settings for certificates.
        tell: called with what a person should know meanwhile: workers that come, go, or cannot be used.
        patience_secs: how long it waits for a worker where there is none.

    Raises:
        ClusterError: Dask is not installed, no scheduler answers, or no worker can be used.
    """
    try:
        import distributed
    except ImportError as error:
        raise ClusterError("building on a cluster needs Dask, which is not installed",
                           mend="run: pip install 'parktwin[dask]'") from error
    _knock(address)
    with _quiet():
        client = object.__new__(distributed.Client)
        try:
            distributed.Client.__init__(client, address, timeout=CONNECT_SECS, set_as_default=False, name="parktwin-build")
        except Exception as error:
            client.status = "closed"  # or it waits for itself when it goes
            raise ClusterError(f"what answers at {address} is no Dask scheduler that lets us in ({_first_line(error)})",
                               mend="correct --dask; tls:// where the scheduler wants certificates") from error
        try:
            yield ClusterPool(client, address, tell, patience_secs)
        finally:
            with suppress(Exception):
                client.close(timeout=5)


def _knock(address: str) -> None:
    """See that an address is one and somebody is there: Dask itself takes long to say so."""
    from distributed.security import Security

    parts = urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in ("tcp", "tls") or not host or not port:
        raise ClusterError(f"'{address}' is no address of a Dask scheduler", mend="write it as tcp://host:8786 or tls://host:8786")
    if parts.scheme == "tls" and Security().get_connection_args("client")["ssl_context"] is None:
        raise ClusterError("tls:// needs certificates, and Dask knows of none",
                           mend="set distributed.comm.tls.ca-file, .client.cert and .client.key in Dask's configuration")
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECS).close()
    except OSError as error:
        raise ClusterError(f"no Dask scheduler answers at {address} ({_first_line(error)})",
                           mend="start one (dask scheduler) or correct --dask") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """What goes wrong is told once, in our words: Dask's own loggers and warnings are silent meanwhile."""
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.startswith("distributed")]
    levels = [log.level for log in loggers]
    for log in loggers:
        log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")  # versions are compared, large steps are meant
            yield
    finally:
        for log, level in zip(loggers, levels, strict=True):
            log.setLevel(level)


class ClusterPool:
    """The workers of a cluster that build with what this machine builds with."""

    def __init__(self, client: Client, address: str, tell: Tell, patience_secs: float) -> None:
        self.client = client
        self.address = address
        self.tell = tell
        self.patience_secs = patience_secs
        self.threads: dict[str, int] = {}
        self.refused: set[str] = set()
        self.sends_files = False
        self._seen_at = time.monotonic()
        self.look()
        self.wait_for_workers()

    @contextmanager
    def bench(self, *, is_light: bool) -> Iterator[Bench]:
        """A place to work at; leaving it takes back what no worker has begun."""
        bench = ClusterBench(self)
        try:
            yield bench
        finally:
            bench.close()

    def look(self) -> None:
        """See who is there.

        Raises:
            ClusterError: the scheduler is gone, or no worker was there for longer than one waits.
        """
        try:
            alive: dict[str, int] = dict(self.client.nthreads())
        except Exception as error:
            raise self.lost() from error
        for address in sorted(set(self.threads) - set(alive)):
            self.tell(f"worker {address} is gone; its steps are done elsewhere")
        self.threads = {address: alive[address] for address in self.threads if address in alive}
        self.refused &= set(alive)
        self._admit(sorted(set(alive) - set(self.threads) - self.refused), alive)
        now = time.monotonic()
        if self.threads:
            self._seen_at = now
        elif now - self._seen_at > self.patience_secs:
            raise ClusterError(f"the cluster at {self.address} has no worker that can be used",
                               mend=f"start some where the same parktwin is installed (dask worker {self.address}); "
                                    "what was done is kept")

    def wait_for_workers(self) -> None:
        """Until there is one.

        Raises:
            ClusterError: as those of `look`.
        """
        if not self.threads:
            self.tell(f"no worker can be used yet; waiting {self.patience_secs:.0f} s for one")
        while not self.threads:
            time.sleep(min(LOOK_SECS, self.patience_secs / 4))
            self.look()

    def lost(self) -> ClusterError:
        """What to say where the scheduler is gone."""
        return ClusterError("the Dask scheduler went away in the middle of the build",
                            mend="start it and build again; what was done is kept")

    def _admit(self, new: list[str], threads: dict[str, int]) -> None:
        if not new:
            return
        own = identity()
        try:
            answers = self.client.run(identity, workers=new, on_error="return")
        except OSError:  # one went as it was asked; the others are asked again
            return
        for address, said in answers.items():
            if said == own:
                self.threads[address] = threads[address]
                continue
            self.refused.add(address)
            self.tell(f"worker {address} is left out: {_difference(own, said)}")


def _difference(own: dict[str, str], said: object) -> str:
    if not isinstance(said, dict):
        return f"it has no parktwin to work with ({_first_line(said)}); install the same one there"
    first = sorted(name for name in own.keys() | said.keys() if own.get(name) != said.get(name))
    listed = ", ".join(f"{name} {said.get(name, 'none')} there, {own.get(name, 'none')} here" for name in first[:3])
    return f"{listed}; install the same versions there"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A step on its way."""

    place: int
    step: Step[Any]
    workers: frozenset[str]
    has_files: bool
    tries: int = 1


class ClusterBench:
    """Steps under way on the cluster. A step whose workers are gone, or that failed there, is sent again."""

    def __init__(self, pool: ClusterPool) -> None:
        self.pool = pool
        self.under_way: dict[str, tuple[Future, _Sent]] = {}
        self.finished: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._looked_at = time.monotonic()

    def __len__(self) -> int:
        return len(self.under_way)

    def has_room(self) -> bool:
        return len(self) < 2 * sum(self.pool.threads.values()) + 2

    def begin(self, place: int, step: Step[Any]) -> None:
        self._send(_Sent(place, step, frozenset(), has_files=False))

    def take(self) -> tuple[int, Any]:
        while True:
            if time.monotonic() - self._looked_at > LOOK_SECS:
                self._look()
            with suppress(queue.Empty):
                key = self.finished.get(timeout=LOOK_SECS)
                if key in self.under_way:
                    future, sent = self.under_way.pop(key)
                    result = self._outcome(future, sent)
                    if result is not None:
                        return sent.place, result

    def close(self) -> None:
        with suppress(Exception):
            self.pool.client.cancel([future for future, _ in self.under_way.values()], force=True)
        self.under_way.clear()

    def _send(self, sent: _Sent) -> None:
        self.pool.wait_for_workers()
        cargo = Cargo.of(sent.step.files, with_content=self.pool.sends_files and _size(sent.step) <= SEND_MOST_BYTES)
        sent = replace(sent, workers=frozenset(self.pool.threads), has_files=cargo.has_content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Dask would rather see files scattered
            try:
                future = self.pool.client.submit(work, sent.step, cargo, workers=sorted(sent.workers), pure=False,
                                                 key=f"parktwin-{uuid.uuid4().hex}")
            except Exception as error:
                raise self.pool.lost() from error
        self.under_way[str(future.key)] = future, sent
        future.add_done_callback(lambda done: self.finished.put(str(done.key)))

    def _look(self) -> None:
        """Send again what nobody who is there may do."""
        self.pool.look()
        self._looked_at = time.monotonic()
        for key, (future, sent) in list(self.under_way.items()):
            if future.status == "pending" and not sent.workers & set(self.pool.threads):
                del self.under_way[key]
                future.cancel(force=True)
                self._send(sent)

    def _outcome(self, future: Future, sent: _Sent) -> Any:
        """The result; None where the step was sent again."""
        from distributed import KilledWorker

        try:
            result = future.result()
        except KilledWorker:
            return TwinError(f"{sent.step.name} ended every worker that tried it, most likely for want of memory",
                             mend="give workers more memory (dask worker --memory-limit), or build without --dask")
        except Exception as error:  # noqa: BLE001 - whatever a worker met on the way
            return self._again(sent, error, is_cancelled=future.status in ("cancelled", "lost"))
        if not isinstance(result, Away):
            return result
        if _size(sent.step) > SEND_MOST_BYTES:
            return TwinError(f"{sent.step.name}: {result.path} is not on worker {result.worker}, and too large to send",
                             mend="share the park's folder with the workers, at the same path")
        if sent.has_files:
            return self._again(sent, OSError(f"{result.path} changed on the way"), is_cancelled=False)
        if not self.pool.sends_files:
            self.pool.tell("the park's files are not on the workers; they are sent")
            self.pool.sends_files = True
        self._send(sent)
        return None

    def _again(self, sent: _Sent, error: Exception, *, is_cancelled: bool) -> None:
        self.pool.look()
        if not is_cancelled and sent.tries >= TRIES:
            raise ClusterError(f"{sent.step.name} failed on the cluster {TRIES} times ({_first_line(error)})",
                               mend="build without --dask to see whether it fails here too; what was done is kept") from error
        if sent.tries > TRIES * 3:
            raise self.pool.lost() from error
        self._send(replace(sent, tries=sent.tries + 1))


def _size(step: Step[Any]) -> int:
    return sum(path.stat().st_size for path in step.files if path.is_file())


def _first_line(error: object) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
