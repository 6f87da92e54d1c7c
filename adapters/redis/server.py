"""The private engine: a `redis-server` of our own, on a Unix socket, which outlives a killed Kakehashi.

How one comes up. Whoever gets the folder's lock starts a server and passes the lock on to it; everybody else adopts
the server that has it. A new server listens at `redis.new`, which no client knows; only when it has answered and holds
the folder's instance id is that socket renamed to `redis`. So no client ever writes to a server that came up without
its data. Every process watches the lock: when the server goes, one of them gets the lock and starts the next.

Rules for the server itself: `appendfsync always`, because "sent" means durable (promise 1); no eviction, because work
is never trimmed away; no TCP port. It is a daemon in a session of its own, so that Ctrl-C in a terminal, which goes to
the whole process group, does not end it before Kakehashi has drained.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from adapters.redis.binary import Binary, PrivateRedisError, find_binary
from adapters.redis.folder import Folder, Record, RedisDataMissingError, RedisFolderBusyError, is_private

log = structlog.get_logger(__name__)

INSTANCE_KEY = "kakehashi:instance"
SOCKET = "redis"
UNVERIFIED_SOCKET = "redis.new"

# Seconds.
_POLL = 0.02  # between two looks while something is expected to happen soon
_WATCH = 0.1  # between two looks at a healthy server: one flock and two stats
_ANSWER_WITHIN = 5.0  # a probe of a server that accepted the connection
_LAUNCH_WITHIN = 10.0  # until the daemon has left its launcher
_END_WITHIN = 10.0  # after this a server that was asked to end is killed; nothing acknowledged is lost by it
_STEADY = 30.0  # a server that lived this long is no longer held to its past
_FIRST_DELAY, _LAST_DELAY = 0.2, 5.0  # of the restarts after the first, doubling

# The server gets no more of our environment than it needs: our tokens are none of its business.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "TZ")


class RedisServerDiedError(PrivateRedisError):
    """The private server ended, or did not come up."""


@dataclass(frozen=True)
class Endpoint:
    """Where the verified server answers, whose data it holds (`instance_id`), and what it is."""

    socket_path: Path
    instance_id: str
    pid: int
    version: str

    @property
    def url(self) -> str:
        """For redis-py's `from_url`."""
        return f"unix://{quote(str(self.socket_path))}"


class PrivateServer:
    """One process's hold on the private server of `data_dir`.

    `binary` None: the one that `find_binary` finds, looked up when a server has to be started.
    `socket_dir` None: the system's temporary folder. `patience`: seconds to wait for a server that is there and does
    not answer; loading a long AOF is an answer. `on_restart(endpoint)` and `on_trouble(error)` are called on the loop.
    """

    def __init__(
        self,
        data_dir: Path,
        binary: Binary | None = None,
        *,
        socket_dir: Path | None = None,
        patience: float = 30.0,
        on_restart: Callable[[Endpoint], object] | None = None,
        on_trouble: Callable[[PrivateRedisError], object] | None = None,
    ) -> None:
        self._folder = Folder(data_dir, sockets=socket_dir)
        self._binary = binary
        self._patience = patience
        self._on_restart = on_restart
        self._on_trouble = on_trouble
        self._user: int | None = None
        self._watch: asyncio.Task[None] | None = None
        self._endpoint: Endpoint | None = None
        self._pid: int | None = None  # the living server's, as it said itself
        self._has_launched = False
        self._up = asyncio.Event()
        self._up_since = 0.0
        self._delay = 0.0
        self._trouble: PrivateRedisError | None = None
        self._log_mark = 0

    # What others see

    @property
    def alive(self) -> bool:
        """Whether the server was there, verified, at the last look (a tenth of a second ago at most)."""
        return self._up.is_set()

    async def wait_alive(self) -> Endpoint:
        """Wait, without end, until the server is there."""
        await self._up.wait()
        return self.endpoint

    def when_restarted(self, moved_to: Callable[[str], object]) -> None:
        """Have `moved_to(url)` called on the loop whenever the server was started anew, perhaps on another socket."""
        self._on_restart = lambda endpoint: moved_to(endpoint.url)

    @property
    def endpoint(self) -> Endpoint:
        """Where the server answers, or answered last. Only after `start`."""
        assert self._endpoint is not None, "the endpoint is known once start() has returned"
        return self._endpoint

    @property
    def trouble(self) -> PrivateRedisError | None:
        """What went wrong last, until the server has run for 30 seconds since."""
        return None if self.alive and self._is_steady() else self._trouble

    async def start(self) -> Endpoint:
        """Start the folder's server, or adopt the one that lives, and watch over it until `stop`.

        Raises a PrivateRedisError: RedisBinaryMissingError, RedisTooOldError, RedisFolderUnusableError,
        RedisFolderBusyError, RedisVersionLoweredError, RedisDataMissingError, RedisSocketPathTooLongError or
        RedisServerDiedError. Then nothing runs that did not run before.
        """
        assert self._user is None, "started twice"
        self._folder.prepare()
        self._user = await self._join()
        try:
            self._is_up(await self._come_up())
        except BaseException:
            await self._leave(ending=False)
            raise
        self._watch = asyncio.create_task(self._supervise(), name="private-redis")
        return self.endpoint

    async def stop(self) -> None:
        """Stop watching; the last process that uses the server ends it, and its data is on the disk."""
        if self._user is None:
            return
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        self._up.clear()
        await self._leave(ending=True)

    # Joining and leaving

    async def _join(self) -> int:
        deadline = time.monotonic() + self._patience
        while (user := self._folder.join()) is None:
            if time.monotonic() > deadline:
                raise self._busy("another Kakehashi is stopping the private Redis, and does not come to an end")
            await asyncio.sleep(_POLL)
        return user

    async def _leave(self, *, ending: bool) -> None:
        assert self._user is not None, "whoever leaves has joined"
        user, self._user = self._user, None
        try:
            if self._folder.is_last(user):
                if ending:
                    await self._end()
                self._tidy()
        finally:
            os.close(user)

    async def _end(self) -> None:
        """End the server in order; kill it if it does not. Only for the last user, or for one we started in vain."""
        for ask in (self._ask_to_end, self._kill):
            await ask()
            if await self._is_gone_within(_END_WITHIN):
                return
        raise self._busy("the private redis-server does not end")

    def _tidy(self) -> None:
        record = self._folder.record()
        if record is not None and not self._folder.is_taken():
            self._folder.leave(record)

    async def _ask_to_end(self) -> None:
        for socket in _sockets(self._folder.record()):
            with contextlib.suppress(RedisError, OSError):
                async with _connect(socket) as client:
                    await client.shutdown(nosave=True)  # the AOF is complete at every moment

    async def _kill(self) -> None:
        """Never by the pid file of a server that others started: its number may be another container's."""
        pid = self._pid or (self._folder.pid() if self._has_launched else None)
        if pid is not None and self._folder.is_taken():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._folder.is_taken():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL)
        return True

    # Coming up

    async def _come_up(self) -> Endpoint:
        while True:
            try:
                launched = self._launch_if_free()
            except (OSError, subprocess.SubprocessError) as error:
                raise self._died(said=type(error).__name__) from error
            try:
                return await self._meet()
            except RedisServerDiedError:
                if launched:
                    raise
                # The one that we found was on its way out; now the lock is free.
            except PrivateRedisError:
                if launched:
                    await self._end()
                raise

    def _launch_if_free(self) -> bool:
        """Start a server if none lives. Without an await, so that no cancellation leaves it half done (some 10 ms)."""
        lock = self._folder.take()
        if lock is None:
            return False
        try:
            self._launch(lock)
        finally:
            os.close(lock)  # from here on the lock lives as long as the server
        return True

    def _launch(self, lock: int) -> None:
        # Looked at again each time: the package may have been upgraded underneath us.
        binary = find_binary(forced=self._binary.path if self._binary else None)
        record = self._folder.claim(binary)
        self._folder.pid_file.unlink(missing_ok=True)
        self._pid, self._has_launched = None, True
        self._log_mark = self._folder.log_size()
        launcher = subprocess.run(  # noqa: S603 - the binary that find_binary vouches for
            [str(binary.path), *self._options(record)],
            pass_fds=(lock,),
            start_new_session=True,
            restore_signals=False,  # SIGXFSZ stays ignored: a size limit is a write error, as on a full disk
            umask=0o077,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LAUNCH_WITHIN,
            check=False,
        )
        if launcher.returncode != 0:
            raise self._died(said=(launcher.stdout + launcher.stderr).decode(errors="replace"))
        log.info("redis_server_launched", version=str(binary.version), binary=str(binary.path))

    def _options(self, record: Record) -> list[str]:
        settings = {
            "daemonize": "yes",
            "dir": self._folder.path,
            "pidfile": self._folder.pid_file,
            "logfile": self._folder.log,
            "port": 0,
            "protected-mode": "yes",
            "unixsocket": Path(record.place, UNVERIFIED_SOCKET),
            "unixsocketperm": 700,
            "databases": 1,
            "appendonly": "yes",
            "appendfsync": "always",
            "no-appendfsync-on-rewrite": "no",  # "yes" would acknowledge unsynced writes during a rewrite
            "aof-load-truncated": "yes",  # a tail cut by a crash was never acknowledged
            "aof-use-rdb-preamble": "yes",
            "save": "",
            "maxmemory": 0,
            "maxmemory-policy": "noeviction",
            "crash-log-enabled": "no",  # a crash report quotes the last command, which may hold a customer's words
        }
        return [part for name, value in settings.items() for part in (f"--{name}", str(value))]

    async def _meet(self) -> Endpoint:
        """Wait until the folder's server answers, check whose data it holds, and open its door to clients."""
        deadline = time.monotonic() + self._patience
        while True:
            endpoint = await self._knock()
            if isinstance(endpoint, Endpoint):
                self._tell_of_a_cut_aof()
                self._log_mark = self._folder.log_size()
                return endpoint
            if not self._folder.is_taken():
                raise self._died()
            if endpoint is _Loading:
                deadline = time.monotonic() + self._patience
            if time.monotonic() > deadline:
                raise self._busy("a redis-server holds the data folder and does not answer")
            await asyncio.sleep(_POLL)

    def _tell_of_a_cut_aof(self) -> None:
        """With `appendfsync always` only unacknowledged writes can be cut, unless the disk lied; say it plainly."""
        if self._has_launched and any("loaded anyway" in line for line in self._folder.log_since(self._log_mark)):
            log.warning("redis_aof_was_cut", log=str(self._folder.log))

    async def _knock(self) -> "Endpoint | type[_Loading] | None":
        record = self._folder.record()  # again each time: whoever starts the server may just be writing it
        for socket in _sockets(record):
            assert record is not None, "a socket is found through the record"
            try:
                async with _connect(socket) as client:
                    endpoint = await self._verify(client, record)
            except BusyLoadingError:
                return _Loading
            except (RedisConnectionError, RedisTimeoutError, OSError):
                continue
            except RedisError as error:
                raise self._missing("with something else in the place of its instance id") from error
            with contextlib.suppress(FileNotFoundError):  # another process that verified it was faster
                socket.rename(endpoint.socket_path)
            return endpoint
        return None

    async def _verify(self, client: "Redis", record: Record) -> Endpoint:
        """Whose data is it? Raises RedisDataMissingError.

        Until the record is sealed the server's word counts: a first start may have crashed on either side of writing
        the key. The key is set by whoever finds an empty server; SET NX makes several of them agree.
        """
        if not record.sealed and await client.dbsize() == 0:
            await client.set(INSTANCE_KEY, record.instance, nx=True)
        found = await client.get(INSTANCE_KEY)
        if not isinstance(found, str):
            raise self._missing("without its instance id")
        if record.sealed and found != record.instance:
            raise self._missing("with another instance id")
        if not record.sealed:
            self._folder.seal(record, found)
        about = await client.info("server")
        socket = Path(record.place, SOCKET)
        return Endpoint(socket, found, about["process_id"], about["redis_version"])

    # Watching

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(_WATCH)
            try:
                there = self._is_there()
            except PrivateRedisError as error:  # no file could be opened just now: that says nothing about the server
                log.warning("redis_server_not_watched", what=error.what)
                continue
            if not there:
                self._is_down(self._died())
                await self._bring_back()

    def _is_there(self) -> bool:
        if not self._folder.is_taken():
            return False
        if not self.endpoint.socket_path.exists():
            # Somebody cleaned the temporary folder: nobody can reach it any more. It ends in order; the next one
            # gets a new place.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.endpoint.pid, signal.SIGTERM)
            return False
        return self._folder.pid() in (None, self.endpoint.pid)  # else another process has restarted it already

    async def _bring_back(self) -> None:
        """Restart it, at once the first time, then with growing pauses: a full disk ends it again and again."""
        while not self.alive:
            await asyncio.sleep(self._delay)
            self._delay = min(max(self._delay * 2, _FIRST_DELAY), _LAST_DELAY)
            try:
                self._is_up(await self._come_up())
            except PrivateRedisError as error:
                self._is_down(error)
        log.warning("redis_server_restarted", pid=self.endpoint.pid)
        if self._on_restart is not None:
            # On the loop, so that a failing listener does not end the watch.
            asyncio.get_running_loop().call_soon(self._on_restart, self.endpoint)

    def _is_up(self, endpoint: Endpoint) -> None:
        self._endpoint, self._pid = endpoint, endpoint.pid
        self._up_since = time.monotonic()
        self._up.set()
        log.info("redis_server_up", pid=endpoint.pid, version=endpoint.version, instance=endpoint.instance_id)

    def _is_down(self, error: PrivateRedisError) -> None:
        if self.alive and self._is_steady():
            self._delay = 0.0
        self._up.clear()
        self._trouble = error
        log.error("redis_server_down", what=error.what, where=error.where, mend=error.mend)
        if self._on_trouble is not None:
            asyncio.get_running_loop().call_soon(self._on_trouble, error)

    def _is_steady(self) -> bool:
        return time.monotonic() - self._up_since > _STEADY

    # Errors

    def _died(self, said: str = "") -> RedisServerDiedError:
        # Redis marks what matters with "#": "1234:M 01 Jan 2026 09:00:00.000 # Error writing to the AOF file: …"
        lines = [line.partition(" # ")[2] for line in self._folder.log_since(self._log_mark) if " # " in line]
        reason = said.strip() or " ".join(lines[-2:])
        full = self._folder.is_full() or "No space left" in reason
        reason = reason or ("its disk is full" if full else "it said nothing")
        return RedisServerDiedError(
            f"the private redis-server ended: {reason}",
            where=str(self._folder.log),
            mend="make room on the disk; it then comes back by itself, with all that was acknowledged"
            if full
            else "see its log; a running Kakehashi restarts it by itself",
        )

    def _busy(self, what: str) -> RedisFolderBusyError:
        holder = self._folder.pid()
        return RedisFolderBusyError(
            what,
            where=f"{self._folder.path}" + (f" (process {holder})" if holder else ""),
            mend="wait until it is done, or end that process; nothing acknowledged is lost by that",
        )

    def _missing(self, how: str) -> RedisDataMissingError:
        return RedisDataMissingError(
            f"the data is missing: the private redis-server came up {how}",
            where=f"{self._folder.path} (its record is {self._folder.record_file.name})",
            mend="restore the folder from a backup, all files together; or start anew in another data_dir",
        )


class _Loading:
    """The server is there and reads its AOF."""


def _sockets(record: Record | None) -> list[Path]:
    """Where the folder's server may answer: the new one first, then the one that clients use."""
    if record is None or not is_private(Path(record.place)):
        return []
    return [path for name in (UNVERIFIED_SOCKET, SOCKET) if (path := Path(record.place, name)).exists()]


@contextlib.asynccontextmanager
async def _connect(socket: Path) -> AsyncIterator["Redis"]:
    client = Redis(
        unix_socket_path=str(socket),
        socket_timeout=_ANSWER_WITHIN,
        socket_connect_timeout=_ANSWER_WITHIN,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    try:
        yield client
    finally:
        await client.aclose()
