"""Languages through the real store: found beside a message's way, translated on a lane of their own, erased with it.

One process with a desk on the notice board, lingua, and LibreTranslate's API in front of the simulator.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.detection.detector import Detector
from adapters.files.store import DiskFiles
from adapters.redis.connection import Target, open_store
from adapters.redis.store import RedisStore
from adapters.translation.libretranslate import LibreTranslate
from bridge.detection import Detection
from bridge.erasure import erase
from bridge.feed import Feed, Shown
from bridge.lanes import Lanes, Timing
from bridge.leases import Leases
from bridge.messages import Body, TextPart
from bridge.metrics import Metrics
from bridge.ports import Stored
from bridge.relay import Greeting, Receipt, Relay
from bridge.translation import Translation
from routing import facts as f
from routing import inputs as i
from routing.effects import TRANSLATION
from routing.ids import CustomerKey, DeskId, InputKey, MessageId, OperatorId, Place, Topic, translation_id
from routing.policy import Desk, OperatorProfile, Policy
from routing.session import Session
from routing.view import CustomerNotice, CustomerTranslation
from tests.integration.engine_room import QUICK, until
from tests.integration.notice_board import BOARD, Board, BoardNetwork
from tests.redis_servers import private_redis
from tests.simulators.libretranslate import LibreTranslateSimulator, Mood

EN, JA = DeskId("en"), DeskId("ja")
AIKO = OperatorId("aiko")
POLICY = Policy(
    desks={one: Desk(one, BOARD, Place(f"C-{one}"), languages=(one,)) for one in (EN, JA)},
    operators={AIKO: OperatorProfile(AIKO, {"en": "Aiko"})},
    translates=True,
)
TXID = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
PATIENT: Timing = replace(QUICK, send_deadline=3.0, quarantine=4.0)
VISITOR = CustomerKey("main", "~visitor")
_PREFIXES = itertools.count()


@dataclass
class Page:
    """A customer's page that is open all the time: what it was shown, as it came."""

    shown_events: list[Shown]

    def notices(self) -> list[tuple[str, str | None]]:
        """Keys and languages."""
        every = [one.event for one in self.shown_events if isinstance(one.event, CustomerNotice)]
        return [(one.key, one.language) for one in every]

    def translated(self) -> list[str]:
        every = [one for one in self.shown_events if isinstance(one.event, CustomerTranslation)]
        return [one.body.text for one in every if one.body]

    def shown(self, session: Session, events: Sequence[Shown]) -> None:
        del session
        self.shown_events += events

    def behind(self, session: object) -> None:
        """The other pages of this test's customer are its own."""

    def signalled(self, signal: object) -> None:
        """Typing is not what this is about."""

    def queued(self, session: object, queue: object) -> None:
        """Nor is the queue."""


@dataclass
class House:
    store: RedisStore
    relay: Relay
    feed: Feed
    board: Board
    server: LibreTranslateSimulator
    page: Page
    detection: Detection

    async def writes(self, text: str, message: str = "c:1", language: str = "zh-Hans") -> Stored:
        answer = await self.relay.from_customer(
            VISITOR,
            i.CustomerWrote(MessageId(message)),
            InputKey(f"web/{message}"),
            body=Body((TextPart(text),)),
            greeting=Greeting(False, language, Topic("account")),
        )
        assert isinstance(answer, Receipt)
        return answer.stored

    async def says(self, event: i.OperatorInput, text: str = "") -> None:
        session = (await self.now()).session.id
        body = Body((TextPart(text),)) if text else None
        answer = await self.relay.from_operator(session, event, InputKey(f"desk/{event}"), body=body)
        assert isinstance(answer, Receipt)

    async def does(self, event: i.CustomerInput, text: str = "") -> None:
        body = Body((TextPart(text),)) if text else None
        answer = await self.relay.from_customer(VISITOR, event, InputKey(f"web/{event}"), body=body)
        assert isinstance(answer, Receipt)

    async def now(self) -> Stored:
        stored = await self.relay.current(VISITOR)
        assert stored
        return stored

    async def facts(self, kind: type[f.Fact]) -> list[f.Fact]:
        journal = await self.store.journal((await self.now()).session.id)
        return [entry.fact for entry in journal if isinstance(entry.fact, kind)]

    async def has(self, kind: type[f.Fact], count: int = 1) -> None:
        async def there() -> bool:
            return len(await self.facts(kind)) >= count

        await until(there, f"there is {kind.__name__}")

    async def translation(self, message: str, language: str, revision: int = 0) -> str | None:
        """What is kept of a translation."""
        name = translation_id(MessageId(message), language)
        (body,) = await self.store.bodies((await self.now()).session.id, [(name, revision)])
        return body.text if body else None

    async def hangs_there(self) -> list[str]:
        """What the board shows of the talk; who is called to it is another matter."""
        shown = self.board.shows((await self.now()).session.id)
        return [one for one in shown if one not in ("CallOperators", "AlertDesk")]

    async def resumed(self) -> list[Shown]:
        return list((await self.feed.catch_up(await self.now(), None)).shown)


@asynccontextmanager
async def house(url: str, server: LibreTranslateSimulator, *, patience: float = 60.0) -> AsyncIterator[House]:
    """One process, from its start to its drain."""
    store, _ = await open_store(Target(url=url, prefix=f"l{next(_PREFIXES)}", partitions=2))
    feed, metrics, board = Feed(store), Metrics(), Board()
    networks = {BOARD: BoardNetwork(board)}
    leases = Leases(store, "one", [BOARD, TRANSLATION])
    lanes = Lanes(store, networks, leases, feed, metrics, PATIENT)
    relay = Relay(store, feed, lambda: POLICY, lanes, metrics)
    detection = Detection(relay, Detector(), metrics)
    feed.listen(detection)
    machine = LibreTranslate(server.url, timeout=0.5)
    networks[TRANSLATION] = Translation(relay, machine, detection.language_of, lambda: POLICY, patience)  # type: ignore[assignment]  # a Network, too
    page = Page([])
    feed.follow(VISITOR, page)
    await leases.renew()
    tasks = [asyncio.create_task(work) for work in (leases.run(), lanes.run(), detection.run())]
    try:
        yield House(store, relay, feed, board, server, page, detection)
    finally:
        await lanes.drain()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        detection.close()
        await machine.close()
        await store.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(private_redis(tmp_path_factory.mktemp("redis"))))
    loop.run_until_complete(stack.aclose())
    loop.close()


@pytest.fixture
async def server() -> AsyncIterator[LibreTranslateSimulator]:
    async with LibreTranslateSimulator() as one:
        yield one


@pytest.fixture
async def here(url: str, server: LibreTranslateSimulator) -> AsyncIterator[House]:
    async with house(url, server) as one:
        yield one


# ------------------------------------------------------------------ finding out


async def test_who_writes_in_another_language_is_offered_it_and_moves_when_they_take_it(here: House) -> None:
    await here.writes("入金が反映されません", language="en")
    await here.has(f.LanguageOffered)
    await until(lambda: here.page.notices()[-1:] == [("language_offered", "ja")], "the page offers it")
    assert (await here.now()).session.desk == EN
    await here.does(i.CustomerChoseLanguage("ja"))
    stored = await here.now()
    assert (stored.session.desk, stored.session.language, len(stored.session.mirrors)) == (JA, "ja", 2)


async def test_it_is_offered_once_whatever_is_written_then(here: House) -> None:
    for number, text in enumerate(("入金が反映されません", "まだですか", "出金できません", "至急対応願います")):
        await here.writes(text, f"c:{number}", language="en")
    await here.has(f.LanguageOffered)
    await here.detection._queue.join()
    assert len(await here.facts(f.LanguageOffered)) == 1


# ------------------------------------------------------------------ translating


async def test_each_side_reads_the_other_in_its_own_language(here: House) -> None:
    await here.writes(f"提现不到账 {TXID} 0.5 BTC")
    await here.has(f.TranslationAdded)
    assert here.server.asked[0].text == "提现不到账 [1] [2]"
    assert await here.translation("c:1", "en") == f"en: 提现不到账 {TXID} 0.5 BTC"
    await here.says(i.OperatorReplied(MessageId("o:1"), AIKO), "Please wait until 12:30.")
    await here.has(f.TranslationAdded, 2)
    whole = ["OpenThread", "c:1", "PostTranslation", "o:1", "PostTranslation"]

    async def is_there() -> bool:
        return await here.hangs_there() == whole

    await until(is_there, "the desk sees it")
    await until(lambda: here.page.translated() == ["zh-Hans: Please wait until 12:30."], "the page shows it")


async def test_who_comes_back_sees_original_and_translation(here: House) -> None:
    await here.writes("提现不到账")
    await here.says(i.OperatorReplied(MessageId("o:1"), AIKO), "Please wait.")
    await here.has(f.TranslationAdded, 2)
    words = [one.body.text for one in await here.resumed() if one.body]
    assert words == ["提现不到账", "Please wait.", "zh-Hans: Please wait."]


async def test_a_note_never_reaches_the_translator(here: House) -> None:
    await here.writes("提现不到账")
    await here.says(i.OperatorNoted(MessageId("n:1"), AIKO), "looks like canary-fraud")
    await here.says(i.OperatorReplied(MessageId("o:1"), AIKO), "Please wait.")
    await here.has(f.TranslationAdded, 2)
    assert not [one for one in here.server.asked if "canary" in one.text]


@pytest.mark.parametrize(
    "mood", [Mood.HANG, Mood.BREAK, Mood.SLOWDOWN, Mood.BANNED, Mood.HTML, Mood.CUT, Mood.MOVED, Mood.HUGE, Mood.LIST]
)
async def test_the_original_is_there_whatever_the_translator_does(
    url: str, server: LibreTranslateSimulator, mood: Mood
) -> None:
    """Both originals hang on the board while the translator has not answered once, and nobody waits for it."""
    server.mood = mood
    async with house(url, server, patience=0.0) as here:
        await here.writes("提现不到账")
        await here.says(i.OperatorReplied(MessageId("o:1"), AIKO), "Please wait.")

        async def both_are_there() -> bool:
            return {"c:1", "o:1"} <= set(await here.hangs_there())

        await until(both_are_there, "both originals are on the board")
        assert await here.facts(f.TranslationAdded) == []
        await here.has(f.TranslationMissed, 2)


@pytest.mark.parametrize("lie", [Mood.DROPS, Mood.DOUBLES, Mood.INVENTS, Mood.EMPTY, Mood.CONTROL])
async def test_a_translation_that_is_not_to_be_trusted_is_dropped_and_the_desk_is_told(here: House, lie: Mood) -> None:
    here.server.mood = lie
    await here.writes(f"提现不到账 {TXID}")
    await here.has(f.TranslationMissed)
    (missed,) = await here.facts(f.TranslationMissed)
    assert isinstance(missed, f.TranslationMissed)
    assert missed.why is i.Untranslated.ALTERED
    assert await here.translation("c:1", "en") is None
    await until(lambda: here.board.notices[-1].what == "PostLine", "the desk is told")


async def test_holes_that_come_back_in_another_shape_are_holes(here: House) -> None:
    here.server.mood = Mood.WIDE
    await here.writes(f"提现不到账 {TXID}")
    await here.has(f.TranslationAdded)
    assert await here.translation("c:1", "en") == f"en: 提现不到账 {TXID}"


async def test_a_translator_that_comes_back_translates_what_it_missed(
    url: str, server: LibreTranslateSimulator
) -> None:
    server.mood = Mood.WAIT
    async with house(url, server) as here:
        await here.writes("提现不到账")
        await until(lambda: server.asked, "it was asked")
        server.mood = Mood.FINE
        await here.has(f.TranslationAdded)
        assert await here.translation("c:1", "en") == "en: 提现不到账"


async def test_an_edit_is_translated_anew_and_a_withdrawal_takes_the_translation_along(here: House) -> None:
    await here.writes("提现不到账")
    await here.has(f.TranslationAdded)
    await here.does(i.CustomerRevised(MessageId("c:1"), 1), "提现还是不到账")
    await here.has(f.TranslationAdded, 2)
    assert await here.translation("c:1", "en", 1) == "en: 提现还是不到账"
    await here.does(i.CustomerWithdrew(MessageId("c:1")))

    async def taken_down() -> bool:
        return await here.hangs_there() == ["OpenThread"]

    await until(taken_down, "message and translation are gone from the board")


async def test_what_is_withdrawn_is_not_shown_to_who_comes_back(here: House) -> None:
    await here.writes("提现不到账")
    await here.says(i.OperatorReplied(MessageId("o:1"), AIKO), "Wrong window, sorry.")
    await here.has(f.TranslationAdded, 2)
    await here.says(i.OperatorWithdrew(MessageId("o:1"), AIKO))
    words = [one.body.text for one in await here.resumed() if one.body]
    assert words == ["提现不到账"]


async def test_erasing_a_session_erases_its_translations(here: House, tmp_path: Path) -> None:
    await here.writes("提现不到账")
    await here.has(f.TranslationAdded)
    stored, files = await here.now(), DiskFiles(tmp_path / "files")
    left = await erase(
        here.store, here.relay, files, stored, networks=[BOARD, TRANSLATION], patience=30, told=lambda _line: None
    )
    await files.close()
    assert left.lanes == ()
    assert await here.translation("c:1", "en") is None
    assert await here.hangs_there() == []


async def test_what_is_translated_too_late_for_an_erasure_is_not_kept(
    url: str, server: LibreTranslateSimulator
) -> None:
    server.mood = Mood.WAIT
    async with house(url, server) as here:
        stored = await here.writes("提现不到账")
        await until(lambda: server.asked, "it was asked")
        await here.relay.from_bridge(stored.session.id, i.ErasureOrdered(), InputKey("erase"))
        await here.store.erase(stored.session.id)
        server.mood = Mood.FINE

        async def nothing_is_left() -> bool:
            return await here.store.lane_states(stored.session.id, TRANSLATION) is None

        await until(nothing_is_left, "the translator's lane is empty")
        assert await here.translation("c:1", "en") is None
        assert len(server.asked) == 1
