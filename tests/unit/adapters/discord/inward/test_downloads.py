"""Where a sticker's picture stands."""

from __future__ import annotations

from typing import cast

import pytest

from adapters.discord.heard.happenings import Sticker
from adapters.discord.inward.downloads import GIF, Downloads
from adapters.discord.wire.client import RestApi
from bridge.files import Files

PNG = 1


@pytest.mark.parametrize(
    ("base", "kind", "url"),
    [
        ("https://cdn.discordapp.com/", PNG, "https://cdn.discordapp.com/stickers/7.png"),
        ("https://cdn.discordapp.com/", GIF, "https://media.discordapp.net/stickers/7.gif"),
        ("https://proxy.example/discord/cdn/", PNG, "https://proxy.example/discord/cdn/stickers/7.png"),
        ("https://proxy.example/discord/cdn", GIF, "https://proxy.example/discord/cdn/stickers/7.gif"),
    ],
)
def test_a_stickers_picture_stands_beneath_the_base_address(base: str, kind: int, url: str) -> None:
    downloads = Downloads(cast("RestApi", None), cast("Files", None), base)
    assert downloads.picture(Sticker("7", "wave", kind)).url == url
