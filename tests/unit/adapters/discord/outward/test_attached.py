"""Files on their way to Discord: as many posts as its limits ask for, and which file is which when one is removed."""

from __future__ import annotations

from adapters.discord.outward.attached import LARGEST, TOGETHER, left_in, packed
from adapters.discord.refs import Post
from bridge.files import MIB
from bridge.messages import Body, FilePart, TextPart


def files(*sizes: int) -> tuple[FilePart, ...]:
    return tuple(FilePart(f"f{number}", "a.png", "image/png", size) for number, size in enumerate(sizes))


def sizes(parts: tuple[FilePart, ...]) -> list[int]:
    return [one.size // MIB for one in parts]


def test_a_request_holds_so_many_bytes_and_files() -> None:
    found = packed(files(9 * MIB, 9 * MIB, 9 * MIB, MIB), LARGEST)
    assert [sizes(one) for one in found.posts] == [[9, 9], [9, 1]]
    assert all(sum(one.size for one in post) <= TOGETHER for post in found.posts)
    assert [len(one) for one in packed(files(*[1] * 23), LARGEST).posts] == [10, 10, 3]


def test_what_is_larger_than_the_server_takes_is_told_of() -> None:
    large = files(11 * MIB, MIB)
    found = packed(large, LARGEST)
    assert (sizes(found.too_large), [sizes(one) for one in found.posts]) == ([11], [[1]])
    boosted = packed(files(MIB, 40 * MIB, MIB), 50 * MIB)
    assert [sizes(one) for one in boosted.posts] == [[1], [40], [1]]


def test_a_removed_file_is_told_from_the_others_by_its_place() -> None:
    posts = [Post("1", "2", "3", ("a", "b")), Post("1", "2", "4", ("c",))]
    one, two, three = files(1, 1, 1)
    gone = FilePart(two.file, "", two.media_type, 0, purged=True)
    assert left_in(posts, Body((TextPart("hi"), one, gone, three)), LARGEST) == {"3": ("a",), "4": ("c",)}
    assert left_in(posts, Body((one, gone)), LARGEST) == {"3": (), "4": ()}
