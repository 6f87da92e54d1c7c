"""Attachments: one of them is purged, on every mirror and in the store of files, whatever state its session is in."""

from __future__ import annotations

from routing import effects as e
from routing import facts as f
from routing import inputs as i
from routing.case import Case
from routing.facts import Actor, Side


def purge(case: Case, event: i.FilePurgeOrdered) -> None:
    """The commit bears the bodies without the file, so nobody is shown it from here on; the rest is for the lanes."""
    if case.open.erased:
        return
    spoken = case.open.spoken(event.message)
    about = {
        "message": event.message,
        "file": event.file,
        "side": Side(event.side),
        # What was said since the journal was read counts, lest older words come back.
        "revision": max(event.revision, spoken.revision if spoken else 0),
        "withdrawn": event.withdrawn or (spoken is not None and spoken.withdrawn),
    }
    case.record(f.FilePurged, Actor.OPERATOR if event.by else Actor.BRIDGE, why=event.why, by=event.by, **about)
    held = case.holds_back or (spoken is not None and spoken.held)
    for mirror in case.open.mirrors:
        case.ask(e.RemoveFile, mirror, held=held, **about)
    case.say("file_purged")
    case.ask_beyond(e.PurgeFile, e.FILES, message=event.message, file=event.file)
