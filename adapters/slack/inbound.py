"""What operators do in Slack becomes input of their sessions. Committed first, acknowledged then.

`take` returns when what a payload tells is durable: committed to its session, or kept in the store where its thread is
not known yet. It raises when the store cannot take it, and Slack then sends the payload again.
"""

from __future__ import annotations

import asyncio
from asyncio import Lock
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import structlog

from adapters.slack import held, mrkdwn, richtext
from adapters.slack.deferred import Deferred
from adapters.slack.deletions import Deletions, is_deletion
from adapters.slack.downloads import Downloads, NotFetchedError
from adapters.slack.late import Late
from adapters.slack.manners import manner
from adapters.slack.membership import Membership
from adapters.slack.mentions import Names
from adapters.slack.missed import Missed, NothingMissed
from adapters.slack.orders import TypedOrders
from adapters.slack.parse import (
    App,
    ChannelMoved,
    ChannelShared,
    Happening,
    Ignored,
    InThread,
    PersonLeft,
    Pressed,
    Revised,
    Said,
    Shortcut,
    TokensRevoked,
    Withdrawn,
    event,
    parse,
)
from adapters.slack.people import People
from adapters.slack.posted import message_in
from adapters.slack.presses import DEEDS, Desk, Door, Press
from adapters.slack.reactions import Reactions, is_reaction
from adapters.slack.refs import NAME, Root
from adapters.slack.render import Block, Wording
from adapters.slack.shape import GarbledError
from adapters.slack.shortcuts import as_press
from adapters.slack.threads import Threads
from adapters.slack.typed import TypedTemplates
from adapters.slack.views import Frame
from adapters.slack.windows import Windows
from bridge import blocks, templates
from bridge.card import Action
from bridge.commands import Command, Mistyped
from bridge.directory import Directory
from bridge.errors import KakehashiError
from bridge.files import FileRefused
from bridge.marks import cut
from bridge.messages import Body, FilePart, TextPart
from bridge.ports import Placed, Store, Stored, Unplaced
from bridge.relay import Answer, Receipt, Relay
from bridge.whereabouts import Whereabouts
from routing import edits
from routing.decide import Refusal
from routing.facts import Side
from routing.ids import InputKey, MessageId, OperatorId, ThreadRef
from routing.inputs import INSIDE, DeletionDoubted, Manner, OperatorRevised, OperatorWithdrew, OperatorWrote, Origin
from routing.session import Reason, Session, State

TOLD = 10_000
"""Keys of refused inputs that were answered: a refusal leaves no trace in the journal, and Slack repeats itself."""

OVERTAKES_AFTER = 1.0
"""Seconds that input waits for earlier input of its thread that another process is busy with."""

LOOK_AGAIN = 0.05
"""Seconds between looks whether it is done."""

Payload = Mapping[str, Any]

_log = structlog.get_logger(__name__)


class Tell:
    """Ephemeral answers: shown to one person, kept nowhere. `send(root, user, text, blocks)` does it, and may fail."""

    def __init__(self, send: Callable[[Root, str, str, Sequence[Block]], Awaitable[None]]) -> None:
        self._send = send
        self._told: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, key: InputKey, root: Root, user: str, text: str, blocks: Sequence[Block] = ()) -> None:
        """Say it once per input, without keeping the input waiting for it."""
        if key in self._told:
            return
        self._told[key] = None
        if len(self._told) > TOLD:
            self._told.popitem(last=False)
        self._spawn(self._quietly(root, user, text, blocks))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Something else that input does not wait for. It raises nothing."""
        self._spawn(work)

    async def _quietly(self, root: Root, user: str, text: str, blocks: Sequence[Block]) -> None:
        try:
            await self._send(root, user, text, blocks)
        except KakehashiError as error:
            _log.warning("slack_answer_not_shown", channel=root.channel, reason=error.what)

    async def stop(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Inbound:
    """`app` tells who we are; `late` tells of what was not sent, and marks it; `moved` hears of a channel's new id,
    `shared` that one may be shared with another organisation, `revoked` that our token is gone; `alone`: no other
    process is on this store; `public_place` names a channel in a language, where customers know it."""

    def __init__(
        self,
        *,
        store: Store,
        relay: Relay,
        door: Door,
        threads: Threads,
        downloads: Downloads,
        directory: Directory,
        people: People,
        membership: Membership,
        wording: Wording,
        tell: Tell,
        windows: Windows,
        typed: TypedTemplates,
        respond: Callable[[str, Mapping[str, Any]], Awaitable[None]],
        app: Callable[[], App],
        whereabouts: Whereabouts,
        late: Late,
        moved: Callable[[str, str], Awaitable[None]],
        shared: Callable[[], None],
        revoked: Callable[[], None],
        alone: Callable[[], bool],
        deletions: Deletions,
        reactions: Reactions,
        public_place: Callable[[str, str], str | None],
    ) -> None:
        self._store = store
        self._relay = relay
        self._door = door
        self._threads = threads
        self._downloads = downloads
        self._directory = directory
        self._people = people
        self._membership = membership
        self._wording = wording
        self._tell = tell
        self._app = app
        self._whereabouts = whereabouts
        self._late = late
        self._moved = moved
        self._shared = shared
        self._revoked = revoked
        self._alone = alone
        self._deletions = deletions
        self._reactions = reactions
        self._public_place = public_place
        self._turns: WeakValueDictionary[ThreadRef, Lock] = WeakValueDictionary()
        self._windows = windows
        self._typed = typed
        self._desk = Desk(
            door,
            self._answer,
            self._open,
            partial(blocks.subject, relay),
            self._explain,
            partial(message_in, store),
            respond,
            wording,
        )
        self.orders: TypedOrders | None = None
        self.deferred = Deferred(store, self._carry_out)
        self.missed: Missed = NothingMissed()

    async def take(self, payload: Payload) -> None:
        """Returns when it is durable, or means nothing. Raises StoreUnavailableError or OverloadedError, and
        KakehashiError while we do not know who we are: it is not stored then, and should be sent again. Raises
        GarbledError for what Slack never sends."""
        happening, told = _parsed(payload, self._app()), payload.get("event")
        if is_reaction(told):
            await _making_sense(self._reactions.take(told, self.deferred))
        elif is_deletion(told):
            await _making_sense(self._deleted(happening, told))
        elif isinstance(happening, Ignored):
            _log.debug("slack_ignored", because=happening.because)
        elif isinstance(happening, Pressed):
            await self._pressed(happening)
        elif isinstance(happening, Shortcut):
            await self._shortcut(happening)
        elif isinstance(happening, ChannelMoved):
            await self._moved(happening.old, happening.new)
        elif isinstance(happening, ChannelShared):
            self._shared()
        elif isinstance(happening, PersonLeft):
            await self._membership.left(happening)
        elif isinstance(happening, TokensRevoked):
            self._revoked()
        else:
            patience = asyncio.get_running_loop().time() + OVERTAKES_AFTER
            async with self._turn(happening.root):
                await self._in_thread(happening, payload["event"], patience)

    def _turn(self, root: Root) -> Lock:
        """One input of a thread at a time: each arrives in a task of its own, and they must not overtake here."""
        lock = self._turns.get(root.ref)
        if lock is None:
            lock = self._turns[root.ref] = Lock()
        return lock

    # ------------------------------------------------------------------ in a thread

    async def _in_thread(self, happening: InThread, body: Payload, patience: float) -> None:
        placed = await self._threads.placed(happening.root)
        if placed is None and self._is_foreign(happening):
            return
        has_files = isinstance(happening, Said) and bool(happening.files)
        owed = placed is not None and await self.missed.owes(happening.root, placed.session)
        if placed is None or has_files or owed or self.deferred.holds(happening.root.ref):
            await self._keep(happening, body)
        else:
            await self._let_earlier_pass(happening, patience)
            await self._act(happening, placed, ())

    async def _let_earlier_pass(self, happening: InThread, patience: float) -> None:
        """Wait, until `patience` (the loop's clock) is over, for what another process still has in its hands: pictures
        that it fetches, say, and that these words are about. Keys of one thread sort by the time of their messages."""
        if not isinstance(happening, Said) or self._alone():
            return
        while any(key < happening.key for key in await self._store.unplaced_in(NAME, happening.root.ref)):
            if asyncio.get_running_loop().time() >= patience:
                _log.info("slack_input_overtakes", input=happening.key)
                return
            await asyncio.sleep(LOOK_AGAIN)

    def _is_foreign(self, happening: InThread) -> bool:
        """A thread that certainly is not ours: people talk in the channel, too. A deleted root tells nothing."""
        if happening.parent and happening.parent not in (self._app().user, "USLACKBOT"):
            return True
        return self._threads.is_foreign(happening.root)

    async def _keep(self, happening: InThread, body: Payload) -> None:
        now = await self._store.now()
        await self.deferred.keep(Unplaced(happening.key, happening.root.ref, dict(body), now))

    async def _carry_out(self, unplaced: Unplaced) -> None:
        """The deferred way: place the thread, fetch the files, then do as with any other."""
        if is_reaction(unplaced.payload):
            return await self._reactions.carry_out(unplaced.payload)
        happening = event(unplaced.payload, self._app())
        if not isinstance(happening, InThread):
            await self._deletions.is_cleared(unplaced)  # of a post of our own: kept to be counted
            return None
        placed = await self._threads.placed(happening.root)
        if placed is None:
            placed = await self._threads.read(happening.root, self._app())
        if placed is None:
            _log.debug("slack_ignored", because="a thread of other people's")
            return None
        await self.missed.catch_up(happening.root, placed)
        if isinstance(happening, Withdrawn) and not await self._deletions.is_the_authors(unplaced, happening):
            return await self._deletion_ignored(happening, placed)
        parts = await self._fetched(happening) if isinstance(happening, Said) else ()
        return await self._act(happening, placed, parts)

    async def _deletion_ignored(self, withdrawn: Withdrawn, placed: Placed) -> None:
        key = InputKey(f"{withdrawn.key}/ignored")
        answer = await self._relay.from_bridge(placed.session, DeletionDoubted(withdrawn.message), key)
        if isinstance(answer, Receipt) and answer.fresh:
            self._tell.beside(self._deletions.offer(withdrawn, placed, answer.stored.session.language))

    async def recover(self, body: Payload, placed: Placed) -> None:
        """What was said in a thread while nobody heard. Raises KakehashiError to have it tried again."""
        happening = event(body, self._app())
        if isinstance(happening, InThread):
            parts = await self._fetched(happening) if isinstance(happening, Said) else ()
            await self._act(happening, placed, parts)

    async def _act(self, happening: InThread, placed: Placed, files: tuple[FilePart, ...]) -> None:
        stored = await self._relay.session(placed.session)
        if stored is None:
            _log.warning("slack_session_unknown", session=placed.session, input=happening.key)
            return
        if isinstance(happening, Withdrawn):
            await self._withdrawn(happening, stored)
        elif self._is_stranger(happening, stored, happening.root):
            return
        elif not await self._typed_template(happening, placed, stored, files):
            await self._spoke(happening, placed, stored, files)

    async def _spoke(self, happening: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        if isinstance(happening, Revised):
            await self._revised(happening, placed, stored)
        else:
            await self._said(happening, placed, stored, files)

    async def _said(self, said: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]) -> None:
        text = self._words(said, stored)
        orders, asked = self.orders, self.orders.read(text.text) if self.orders else None
        if orders and isinstance(asked, Command) and orders.acts(asked):
            await self._command(said, stored, asked, orders)
            return
        meant, begins = self._manner(said, text.text, asked)
        body = _body(cut(text, begins), files)
        if not body.parts:
            return  # an empty message, or nothing but files that were refused; the operator was told
        answer = await self._wrote(said, placed, stored, meant, body, said.key)
        if orders and isinstance(asked, Mistyped) and isinstance(answer, Receipt):
            orders.explain(said, answer.stored.session, asked, self._people.operator(said.author))

    def _manner(self, said: Said, text: str, asked: Command | Mistyped | None) -> tuple[Manner, int]:
        return self.orders.manner(asked) if self.orders and asked else manner(said.text, text)

    async def _command(self, said: Said, stored: Stored, asked: Command, orders: TypedOrders) -> None:
        """What was typed is for us. It is no message of the session's."""
        operator = self._people.operator(said.author, said.root.channel)
        if operator is None:
            await self._refuse_unknown(said.key, said.author.user, said.root, stored)
            return
        answer = await orders.take(said, stored, asked, operator)
        if answer is not None:
            await self._answer(answer, said.key, said.root, said.author.user, stored)

    async def _wrote(
        self, said: Said, placed: Placed, stored: Stored, meant: Manner, body: Body, key: InputKey
    ) -> Answer:
        """Whether it is a reply, routing says. Whoever wrote hears what became of it, unless they meant it so."""
        channel, user = said.root.channel, said.author.user
        operator, author = self._people.operator(said.author, channel), self._people.named(user)
        event = OperatorWrote(said.message, operator, author, Origin(placed.mirror), meant)
        answer = await self._door.from_operator(placed.session, event, key, body=body)
        self._explain(answer, said.message, said.key, said.root, user)
        self._tell_withheld(said, answer)
        if operator is None and meant in (Manner.PLAIN, Manner.REPLY):
            await self._people.note_unknown(user, channel)
        if isinstance(answer, Refusal):
            await self._late.keep(said, await self._why(answer.reason, said.root, stored))
        return answer

    async def _revised(self, revised: Revised, placed: Placed, stored: Stored) -> None:
        """A note stays a note, and a reply that is edited into one is taken back from the customer."""
        session, text = stored.session, self._words(revised, stored)
        asked = self.orders.read(text.text) if self.orders else None
        if self.orders and await self.orders.takes_edit(revised, session, asked):
            return
        meant, begins = self._manner(revised, text.text, asked)
        spoken = session.spoken(revised.message)
        known = spoken or session.held(revised.message) or await self._store.has_body(session.id, revised.message)
        if meant in INSIDE and not known:
            # The edit overtook its message, which is still to come: it then finds its key used.
            await self._wrote(revised, placed, stored, meant, _body(cut(text, begins), ()), revised.original)
            return
        who = self._people.known_as(revised.author.user, revised.root.channel, session, revised.message)
        event = OperatorRevised(revised.message, who, revised.revision, manner=meant)
        body = _body(cut(text, begins), await self._files_of(revised, stored))
        answer = await self._door.from_operator(session.id, event, revised.key, body=body)
        await self._answer(answer, revised.key, revised.root, revised.author.user, stored)
        self._tell_withheld(revised, answer)
        self._explain_edit(revised, session, answer, meant)

    def _explain_edit(self, revised: Revised, before: Session, answer: Answer, meant: Manner) -> None:
        after = answer.stored.session if isinstance(answer, Receipt) else before
        became = None if isinstance(answer, Refusal) else edits.became(before, after, revised.message, meant)
        if became is edits.Became.NOTE_STAYS_NOTE:
            self._offer(after, revised.message, "told.note_stays_note", revised.key, revised.root, revised.author.user)
        elif became is not None:
            text = self._wording(after.language, f"told.{became}")
            self._tell.later(revised.key, revised.root, revised.author.user, text)

    async def _withdrawn(self, withdrawn: Withdrawn, stored: Stored) -> None:
        """It counts as its author's doing, see `deletions`."""
        session, spoken = stored.session, stored.session.spoken(withdrawn.message)
        pending = session.held(withdrawn.message)
        by = pending.by if pending else spoken.by if spoken else ""
        operator = OperatorId(by) or self._people.known_as(
            withdrawn.author, withdrawn.root.channel, session, withdrawn.message
        )
        event = OperatorWithdrew(withdrawn.message, operator)
        answer = await self._door.from_operator(session.id, event, withdrawn.key)
        if by or await self._store.has_body(session.id, withdrawn.message):  # else the customer never had it
            await self._answer(answer, withdrawn.key, withdrawn.root, withdrawn.author, stored)

    async def _typed_template(
        self, happening: Said, placed: Placed, stored: Stored, files: tuple[FilePart, ...]
    ) -> bool:
        """`;code` stands for a template's words. Whether it was one, typed by somebody who may reply."""
        typed = None if files else templates.typed(self._words(happening, stored).text)
        operator = self._people.operator(happening.author, happening.root.channel)
        if typed is None or operator is None:
            return False
        if isinstance(happening, Revised):
            answer = await self._typed.revised(happening, stored, typed, operator)
            self._explain_edit(happening, stored.session, answer, Manner.PLAIN)
        else:
            author = self._people.named(happening.author.user)
            answer = await self._typed.said(happening, placed, stored, typed, operator, author)
            self._explain(answer, happening.message, happening.key, happening.root, happening.author.user)
        self._tell_withheld(happening, answer)
        if isinstance(answer, Refusal):
            await self._late.keep(happening, await self._why(answer.reason, happening.root, stored))
        return True

    async def _deleted(self, happening: Happening, told: Payload) -> None:
        if not isinstance(happening, Withdrawn) or not await self._drop_held(happening):
            await self._deletions.keep(told, self.deferred)

    async def _drop_held(self, withdrawn: Withdrawn) -> bool:
        """Words that nobody has sent yet: whoever deleted them, nobody loses anything, and they must not leave."""
        placed = await self._threads.placed(withdrawn.root)
        stored = await self._relay.session(placed.session) if placed else None
        pending = stored.session.held(withdrawn.message) if stored else None
        if stored is None or pending is None:
            return False
        event = OperatorWithdrew(withdrawn.message, OperatorId(pending.by))
        return isinstance(await self._door.from_operator(stored.session.id, event, withdrawn.key), Receipt)

    # ------------------------------------------------------------------ buttons

    async def _pressed(self, pressed: Pressed) -> None:
        """The button names its session, so its thread is placed by it."""
        act = DEEDS.get(pressed.action)
        if act is None:
            _log.debug("slack_ignored", because=f"nothing is done for {pressed.action}")
            return
        stored = await self._relay.session(pressed.placed.session)
        if stored is None:
            _log.warning("slack_session_unknown", session=pressed.placed.session, input=pressed.key)
            return
        root = pressed.root or await self._root_of(stored, pressed.placed)
        if pressed.root is not None:
            await self._threads.place(pressed.root, pressed.placed)
        if root is None or self._is_stranger(pressed, stored, root):
            return
        operator = self._people.operator(pressed.author, root.channel)
        if operator is None:
            await self._refuse_unknown(pressed.key, pressed.author.user, root, stored)
            return
        await act(Press(pressed, root, stored, operator, self._desk))

    async def _refuse_unknown(self, key: InputKey, user: str, root: Root, stored: Stored) -> None:
        text = self._wording(stored.session.language, "told.not_enrolled", author=self._people.named(user))
        self._tell.later(key, root, user, text)
        await self._people.note_unknown(user, root.channel)

    async def _root_of(self, stored: Stored, placed: Placed) -> Root | None:
        """The thread that a button belongs to where Slack does not say."""
        thread = (await self._store.threads(stored.session.id)).get(placed.mirror)
        return Root.of(thread) if thread else None

    async def _shortcut(self, shortcut: Shortcut) -> None:
        """A message's menu names no session: its thread does."""
        placed = await self._threads.placed(shortcut.root) or await self._threads.read(shortcut.root, self._app())
        pressed = as_press(shortcut, placed) if placed else None
        if pressed is not None:
            await self._pressed(pressed)
        elif placed is None:
            text = self._wording("", "told.no_session_here")
            self._tell.later(shortcut.key, shortcut.root, shortcut.author.user, text)

    def _open(self, name: Action, press: Press) -> None:
        pressed, root, placed = press.pressed, press.root, press.pressed.placed
        frame = Frame(placed.session, placed.mirror, root.team, root.channel, root.ts, quote=pressed.quote)
        self._windows.open(name, press.stored, frame, press.operator, pressed)

    # ------------------------------------------------------------------ who, and what they are told

    def _is_stranger(self, happening: Said | Pressed, stored: Stored, root: Root) -> bool:
        """Guests from another workspace (Slack Connect) read along; they do not answer customers."""
        if not self._people.is_guest(happening.author):
            return False
        text = self._wording(stored.session.language, "told.stranger")
        self._tell.later(happening.key, root, happening.author.user, text)
        return True

    def _explain(self, answer: Answer, message: MessageId, key: InputKey, root: Root, user: str) -> None:
        """A note that its author may have meant for the customer: why it is one, and the button that sends it."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        spoken = session.spoken(message) if session else None
        if session is None or spoken is None or spoken.inside not in held.OFFERED or session.state is State.CLOSED:
            return
        self._offer(session, message, f"inside.{spoken.inside}", key, root, user)

    def _offer(self, session: Session, message: MessageId, why: str, key: InputKey, root: Root, user: str) -> None:
        language, spoken = session.language, session.spoken(message)
        assignee = self._directory.public_name(session.assignee, language) if session.assignee else ""
        text = self._wording(language, why, operator=assignee)
        mirror = spoken.mirror if spoken and spoken.mirror else session.mirror.number
        blocks = held.offer(session, message, mirror, text, self._wording)
        self._tell.later(key, root, user, text, blocks)

    async def _answer(self, answer: Answer, key: InputKey, root: Root, user: str, stored: Stored) -> None:
        """A refusal says why, and offers the way."""
        if not isinstance(answer, Refusal):
            return
        self._tell.later(key, root, user, await self._why(answer.reason, root, stored))

    async def _why(self, reason: Reason, root: Root, stored: Stored) -> str:
        """A refusal in words, with the way to where the talk goes on, if that is somewhere else."""
        language = stored.session.language
        text = self._wording(language, f"refused.{reason}")
        way = await self._whereabouts.way(stored, reason, root.ref)
        return f"{text} {self._wording(language, 'refused.way', link=way)}" if way else text

    # ------------------------------------------------------------------ words and files

    def _words(self, said: Said, stored: Stored) -> TextPart:
        """What they wrote. The blocks say it best; a message without them is read by its text."""
        names = self._names(said, stored.session.language)
        rich = richtext.read(said.blocks, names)
        return rich if rich is not None and rich.text else mrkdwn.read(said.text, names)

    def _names(self, said: Said, language: str) -> Names:
        def person(user: str) -> str | None:
            operator = self._directory.by_network_user(NAME, self._people.named(user), home=True)
            return self._directory.public_name(operator, language) if operator else None

        def place(channel: str) -> str | None:
            return self._public_place(channel, language)

        words = {kind: self._wording(language, f"mention.{kind}") for kind in ("somebody", "channel", "group")}
        return Names(person, place, emoji=said.emoji, **words)

    def _tell_withheld(self, said: Said, answer: Answer) -> None:
        """The customer reads a neutral word where the author named a channel or a group: nothing is lost unnoticed."""
        session = answer.stored.session if isinstance(answer, Receipt) else None
        spoken = session.spoken(said.message) if session else None
        is_theirs = session is not None and (session.held(said.message) or (spoken and spoken.side is Side.REPLY))
        withheld = self._names(said, session.language).withheld(said.text) if session and is_theirs else ()
        if session is not None and withheld:
            text = self._wording(session.language, "told.withheld", words=", ".join(withheld))
            self._tell.later(InputKey(f"{said.key}/names"), said.root, said.author.user, text)

    async def _fetched(self, said: Said) -> tuple[FilePart, ...]:
        """The files as ours. One that cannot be had is left out, and the operator is told."""
        if isinstance(said, Revised) or self._people.is_guest(said.author):
            return ()
        owner = f"operator:{self._people.operator(said.author) or self._people.named(said.author.user)}"
        parts = []
        for file in said.files:
            try:
                parts.append(await self._downloads.keep(file, owner))
            except NotFetchedError as error:
                await self._not_passed_on(said, file.id, error.code)
            except FileRefused as error:
                if error.retry:
                    raise KakehashiError(f"a file was not taken yet ({error.code})") from error
                await self._not_passed_on(said, file.id, error.code)
        return tuple(parts)

    async def _not_passed_on(self, said: Said, file: str, code: str) -> None:
        placed = await self._threads.placed(said.root)
        stored = await self._relay.session(placed.session) if placed else None
        language = stored.session.language if stored else ""
        text = self._wording(language, "told.file", why=self._wording(language, f"file.{code}"))
        self._tell.later(InputKey(f"{said.key}/{file}"), said.root, said.author.user, text)

    async def _files_of(self, revised: Revised, stored: Stored) -> tuple[FilePart, ...]:
        """An edit in Slack changes the words; the files stay those of the message."""
        said = stored.session.spoken(revised.message) or stored.session.held(revised.message)
        if said is None or not revised.files:
            return ()
        bodies = await self._store.bodies(stored.session.id, [(revised.message, said.revision)])
        return bodies[0].files if bodies and bodies[0] is not None else ()


def _parsed(payload: Payload, app: App) -> Happening:
    try:
        return parse(payload, app)
    except ValueError as wrong:
        raise GarbledError(f"not what Slack sends: {wrong}") from wrong


async def _making_sense(taken: Awaitable[None]) -> None:
    """For what is read as it is taken."""
    try:
        await taken
    except ValueError as wrong:
        raise GarbledError(f"not what Slack sends: {wrong}") from wrong


def _body(text: TextPart, files: tuple[FilePart, ...]) -> Body:
    return Body((*((text,) if text.text.strip() else ()), *files))
