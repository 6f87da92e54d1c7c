"""Virus scanners: none, or any command line that speaks ClamAV's exit statuses."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from bridge.files import Verdict

_log = structlog.get_logger(__name__)


class NoScanner:
    """Finds everything clean. The default: there is no scanner that all machines have."""

    async def scan(self, path: Path, media_type: str) -> Verdict:
        return Verdict.CLEAN


class CommandScanner:
    """Runs a command with the file's path behind it: exit status 0 is clean, 1 infected, all else unknown.

    These are the statuses of clamscan(1) and clamdscan(1). Files are readable for our own user only: give
    clamdscan its `--fdpass`. `seconds` bounds one scan.
    """

    def __init__(self, command: Sequence[str], seconds: float = 60.0) -> None:
        self._command = tuple(command)
        self._seconds = seconds

    async def scan(self, path: Path, media_type: str) -> Verdict:
        status = await self._run(path)
        if status not in (0, 1):
            _log.warning("file_scanner_failed", program=self._command[0], status=status)
            return Verdict.UNKNOWN
        return Verdict.INFECTED if status else Verdict.CLEAN

    async def _run(self, path: Path) -> int | str:
        quiet = asyncio.subprocess.DEVNULL
        # our own environment holds secrets that a scanner has no use for
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command, os.fspath(path), stdin=quiet, stdout=quiet, stderr=quiet, env=environment
            )
        except OSError as error:
            return type(error).__name__
        try:
            async with asyncio.timeout(self._seconds):
                return await child.wait()
        except TimeoutError:
            return "timeout"
        finally:
            await _end(child)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
        await child.wait()
