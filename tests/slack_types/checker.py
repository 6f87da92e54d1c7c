"""Our payloads as values of Slack's own TypeScript types: what the compiler refuses, Slack does not document."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.slack_types.needs import COMPILER, FOLDER

TYPES = {
    "message": "{ text: string; blocks: KnownBlock[]; metadata?: MessageMetadata; [more: string]: unknown }",
    "modal": "Omit<ModalView, 'blocks'> & { blocks: KnownBlock[] }",
    "home": "Omit<HomeView, 'blocks'> & { blocks: KnownBlock[] }",
}
"""Kinds of payload. `AnyBlock` of the views lets any object through that names a type, so their blocks are narrowed."""

_HEAD = "import type { HomeView, KnownBlock, MessageMetadata, ModalView } from '@slack/types';\n"
_OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022", "--pretty", "false")
_ERROR = re.compile(r"payloads\.ts\((\d+),\d+\): error TS\d+: (.*)")


async def complaints(payloads: Mapping[str, tuple[str, Mapping[str, Any]]], folder: Path) -> dict[str, str]:
    """What Slack's types say against these payloads, each given as (kind, payload) by a name of the test's choice.

    A name without a complaint is missing from the answer. One line of TypeScript for each, so a complaint's line says
    whose it is. `folder`: where to write; the packages are linked into it.
    """
    names = list(payloads)
    lines = [
        f"export const p{n}: {TYPES[kind]} = {json.dumps(one)};\n" for n, (kind, one) in enumerate(payloads.values())
    ]
    (folder / "payloads.ts").write_text(_HEAD + "".join(lines))
    (folder / "package.json").write_text('{ "type": "module" }')
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to((FOLDER / "node_modules").resolve())
    status, said = await _compiled(folder)
    found: dict[str, str] = {}
    for line in said.splitlines():
        if error := _ERROR.match(line):
            found.setdefault(names[int(error[1]) - 2], error[2])
    if status and not found:
        raise AssertionError(f"the compiler stumbled: {said}")
    return found


async def _compiled(folder: Path) -> tuple[int | None, str]:
    node = shutil.which("node") or "node"
    process = await asyncio.create_subprocess_exec(
        node, str(COMPILER.resolve()), *_OPTIONS, "payloads.ts", cwd=folder, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()
