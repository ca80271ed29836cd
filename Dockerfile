# Two images.  The web page for a lab, which is the one that is built if nothing is said: docs/web.md.
# The command line for pipelines, with --target cli: docs/pipelines.md.

FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim AS cli
LABEL org.opencontainers.image.title="Spoticell" \
      org.opencontainers.image.description="Names human cells from single-cell RNA counts" \
      org.opencontainers.image.licenses="MIT"
# Nextflow measures jobs with ps, of any release
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends procps && rm -rf /var/lib/apt/lists/*
COPY --from=build /wheels /wheels
# the wheel is our own; what it needs has lower bounds, and today's releases are wanted
# hadolint ignore=DL3013
RUN wheel="$(find /wheels -name '*.whl')" \
    && python -m pip install --no-cache-dir "${wheel}[search]" \
    && useradd --system --uid 10001 --no-create-home spoticell
# matplotlib wants a folder to write to, and the user has no home
ENV MPLCONFIGDIR=/tmp PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
# no entry point: workflow engines start a shell in here
CMD ["spoticell", "--help"]

FROM cli AS page
USER 0
# hadolint ignore=DL3013
RUN wheel="$(find /wheels -name '*.whl')" \
    && python -m pip install --no-cache-dir "${wheel}[web,search]" \
    && install --directory --owner=spoticell --mode=0700 /data
USER 10001
VOLUME /data
EXPOSE 8050
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8050/api/health', timeout=5)"]
ENTRYPOINT ["spoticell", "serve", "--no-browser", "--host", "0.0.0.0", "--data-dir", "/data", "--index", "human-v1"]
# Without a token the server refuses to start: give SPOTICELL_TOKEN, or --no-token.
CMD ["--keep", "24"]
