"""LibreTranslate on a bad day: real HTTP on a loopback port, as strict and as odd as the server's own source.

    async with LibreTranslateSimulator() as server:
        server.mood = Mood.HANG
        …                                   # the translator under test gives up
        assert server.asked[-1].text == "…"  # what was sent to it, word for word

It "translates" by wrapping a text in the target's name, and follows its original's case as the real one does.
"""

from .simulator import Asked, LibreTranslateSimulator, Mood

__all__ = ["Asked", "LibreTranslateSimulator", "Mood"]
