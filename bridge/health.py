"""Health for machines: alive, ready, and the figures. Nothing here names a customer or says a word of theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from bridge.metrics import CONTENT_TYPE, Metrics


def health_routes(
    troubles: Callable[[], Awaitable[Mapping[str, str]]], degraded: Callable[[], Mapping[str, str]]
) -> list[web.RouteDef]:
    """`/healthz`: the process answers. `/readyz`: it can keep what it is given; else 503 and why.

    A network that is down degrades us and no more: customers are heard, and their words wait in the lanes. Taking the
    process out of a balancer for it would turn a delay into silence.
    """

    async def healthz(request: web.Request) -> web.Response:
        del request
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        del request
        found = dict(await troubles())
        if found:
            return web.json_response({"status": "not ready", "because": found}, status=503)
        return web.json_response({"status": "ready", "degraded": dict(degraded())})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


def metrics_routes(metrics: Metrics, measure: Callable[[], Awaitable[None]]) -> list[web.RouteDef]:
    """`/metrics`, for Prometheus. `measure` brings the gauges up to date first."""

    async def figures(request: web.Request) -> web.Response:
        del request
        await measure()
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/metrics", figures)]
