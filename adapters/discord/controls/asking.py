"""How those are put together who answer what people press, fill in and type for us."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from adapters.discord.controls.acting import Acting
from adapters.discord.controls.buttons import Buttons
from adapters.discord.controls.callers import Callers
from adapters.discord.controls.commands import Commands
from adapters.discord.controls.home import Home
from adapters.discord.controls.interactions import Desk, Interactions
from adapters.discord.controls.naming import Naming
from adapters.discord.controls.windows import Windows
from adapters.discord.heard.app import App
from adapters.discord.people import People
from adapters.discord.places.threads import Threads
from adapters.discord.wire.answers import Answers
from adapters.discord.wire.client import RestApi
from bridge.directory import Directory
from bridge.networks.answers import Answers as Asked
from bridge.networks.canned import Canned, Ready
from bridge.networks.explanations import Explanations
from bridge.networks.orders import Orders
from bridge.networks.roster import Roster
from bridge.networks.submissions import Submissions
from bridge.networks.whereabouts import Whereabouts
from bridge.networks.windows import Offers, Words
from bridge.ports import Store
from bridge.relay import Door, Relay
from routing.policy import Policy


def asking(
    *,
    api: RestApi,
    answers: Answers,
    app: Callable[[], App],
    store: Store,
    relay: Relay,
    door: Door,
    directory: Directory,
    people: People,
    whereabouts: Whereabouts,
    words: Words,
    templates: Ready,
    policy: Callable[[], Policy],
    orders: Orders | None,
    roster: Roster | None,
    threads: Threads,
) -> Interactions:
    """Without a roster and orders nobody can ask for their own work: there are no commands then."""
    wording = words.wording
    canned = Canned(store, directory, templates, wording=wording, title=words.title, desk_title=words.desk_title)
    explanations = Explanations(wording, directory, whereabouts)
    acting = Acting(store, relay, people, explanations)
    offers = Offers(store=store, directory=directory, canned=canned, words=words, policy=policy)
    windows = Windows(
        store=store,
        acting=acting,
        offers=offers,
        submissions=Submissions(store=store, relay=relay, door=door, canned=canned, words=words, policy=policy),
        wording=wording,
        zone=orders.zone if orders is not None else lambda _desk: UTC,
    )
    buttons = Buttons(
        relay=relay, door=door, acting=acting, windows=windows, explanations=explanations, wording=wording
    )
    interactions = Interactions(api, answers, wording, app, buttons=buttons, windows=windows)
    if roster is not None and orders is not None:
        callers = Callers(people, roster, wording, words.title, orders.title)
        naming = Naming(
            relay=relay, threads=threads, app=app, callers=callers, roster=roster, offers=offers, wording=wording
        )
        home = Home(roster, door, callers)
        commands = Commands(
            store=store,
            door=door,
            answers=Asked(roster),
            acting=acting,
            callers=callers,
            naming=naming,
            home=home,
            windows=windows,
            wording=wording,
        )
        interactions.desk = Desk(commands, naming, home)
    return interactions
