"""What the documents point to is there: links, anchors, files, tests, words of the code. Mend: the document."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.docs.pages import PAGES, ROOT, codes_in, every_page, name_of, prose_of, text_of

_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_FILE = re.compile(r"(?:adapters|benchmarks|bridge|config|docs|routing|tests)/[\w./*-]*|[\w.-]+\.(?:toml|yaml)")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
_ONCE_INSTALLED = {"kakehashi.toml"}


def links_of(page: Path) -> list[str]:
    """Links within the repository."""
    links = [one or other for one, other in _LINK.findall(prose_of(page))]
    return [link for link in links if not re.match(r"[a-z]+:", link)]


def target_of(page: Path, link: str) -> Path:
    path = link.partition("#")[0]
    return (page.parent / path).resolve() if path else page


def anchors_of(page: Path) -> set[str]:
    """Headings as the forges turn them into anchors."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    target, anchor = target_of(page, link), link.partition("#")[2]
    return target.exists() and (not anchor or target.suffix != ".md" or anchor in anchors_of(target))


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [link for link in links_of(page) if not leads_somewhere(page, link)] == []


def test_every_document_can_be_found_from_the_readme() -> None:
    seen, to_see = set[Path](), [ROOT / "README.md"]
    while to_see:
        page = to_see.pop()
        if page in seen:
            continue
        seen.add(page)
        targets = [target_of(page, link) for link in links_of(page)]
        to_see += [target for target in targets if target.suffix == ".md" and target.exists()]
        to_see += [one for target in targets if target.is_dir() for one in target.glob("*.md")]
    assert [name_of(page) for page in PAGES if page not in seen] == []


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {code for code in codes_in(prose_of(page)) if _FILE.fullmatch(code)} - _ONCE_INSTALLED
    assert sorted(path for path in named if not list(ROOT.glob(path.rstrip("/")))) == []


@every_page
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = _TEST.findall(text_of(page))
    missing = [(file, name) for file, name in named if not (ROOT / file).is_file() or f"{name}(" not in text_of(file)]
    assert missing == []


def test_the_glossary_says_where_each_word_is_in_the_code() -> None:
    """In cells such as: `bridge/ports.py` `Lane`, `Stamp`."""
    wrong = []
    for cell in re.findall(r"\| (`\w+/[\w./]+`[^|]*)\|$", text_of("docs/glossary.md"), re.MULTILINE):
        file, *words = codes_in(cell)
        wrong += [
            (file, word) for word in words if not re.search(rf"^(class|def) {word}\b|^{word} = ", text_of(file), re.M)
        ]
    assert wrong == []
