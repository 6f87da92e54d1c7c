# Two stages: uv installs the locked dependencies, the second image holds the result and a redis-server.
FROM python:3.12-slim-bookworm AS build
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=/app/.venv
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY routing routing
COPY bridge bridge
COPY adapters adapters
COPY config config
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.12-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends redis-server tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin kakehashi \
    && install --directory --owner=kakehashi --group=kakehashi --mode=0700 /data
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    KAKEHASHI_DATA_DIR=/data \
    KAKEHASHI_WEB__HOST=0.0.0.0
USER kakehashi
WORKDIR /data
VOLUME /data
EXPOSE 8787
# tini passes SIGTERM on and buries the image workers that a crash leaves behind.
ENTRYPOINT ["tini", "--", "kakehashi"]
CMD ["up"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8787/healthz', timeout=2)"]
