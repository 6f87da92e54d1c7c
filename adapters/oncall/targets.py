"""The pager targets that the settings name."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.oncall.pagerduty import PagerDuty
from adapters.oncall.told import ToldPager
from bridge.pagers import Pager
from config.settings import PagerSettings


def targets(settings: Mapping[str, PagerSettings], source: str) -> dict[str, Pager]:
    """A pager for each section. `source` names this installation to whoever is called: its public host, say.

    Opens nothing yet.
    """
    return {name: _target(name, one, source) for name, one in settings.items()}


def _target(name: str, settings: PagerSettings, source: str) -> Pager:
    if settings.routing_key is not None:
        return PagerDuty(name, settings.routing_key.get_secret_value(), settings.api_url, source, settings.language)
    if settings.url is not None:
        return ToldPager(name, settings.url.get_secret_value(), settings.language)
    raise AssertionError("the settings demand one of the two")
