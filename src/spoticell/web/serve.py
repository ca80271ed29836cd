"""Starting the server: what ``spoticell serve`` does."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from urllib.parse import urlencode

import uvicorn

from spoticell.errors import ConfigError
from spoticell.web.app import create_app
from spoticell.web.settings import GIB, LOOPBACK, Limits, Settings, default_data_dir

GRACE = 3
"""Seconds that open requests get when the server ends."""
HANGING_UP = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGQUIT") if hasattr(signal, name))
"""Signals of a terminal that the server library leaves alone."""


def settings_of(
    *,
    host: str,
    data_dir: Path | None,
    workers: int,
    keep: float,
    token: str | None,
    no_token: bool,
    allow_host: Sequence[str],
    bundles: Sequence[str],
    index: Path | None,
    markers: Path | None,
    max_file: float,
    max_cells: int,
    memory: float,
    disk: float,
) -> Settings:
    """Give the settings that options stand for; sizes are in GiB.

    Raises
    ------
    ConfigError
        If strangers could reach the server and nobody said that they may.
    """
    if not is_loopback(host) and token is None and not no_token:
        raise ConfigError(
            f"with --host {host} others can reach this server: give it a --token that they must know, or --no-token "
            "if everyone who can reach it may use it."
        )
    if token is not None and len(token) < 8:
        raise ConfigError("the token is too short to keep anyone out; it needs 8 characters or more.")
    gib = {"file_bytes": max_file, "memory": memory, "disk_bytes": disk}
    limits = replace(Limits(), cells=max_cells, **{name: round(size * GIB) for name, size in gib.items()})
    chosen = {"bundles": tuple(bundles)} if bundles else {}
    names = () if host in {"0.0.0.0", "::"} else (host.lower(),)  # noqa: S104 - not a name to be addressed by
    return Settings(
        data_dir=data_dir or default_data_dir(),
        keep_hours=keep,
        workers=workers,
        token=token,
        hosts=(*LOOPBACK, *names, *(name.lower() for name in allow_host)),
        index=index,
        markers=markers,
        limits=limits,
        **chosen,
    )


def serve(settings: Settings, *, host: str, port: int, browser: bool) -> None:
    """Answer requests until interrupted."""
    app = create_app(settings)  # whatever is wrong with the settings is said before anything starts
    # the server closes it too when it ends; here it is closed if the server never begins
    with closing(app.state.site.jobs):
        address = f"http://{'127.0.0.1' if is_loopback(host) else host}:{port}/"
        config = uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=30,
        )
        shown = f"?{urlencode({'token': settings.token})}" if settings.token else ""
        server = _Server(config, address, page=address + shown if browser else None)
        with _hung_up(server):
            server.run(sockets=[_listen(host, port)])
        if server.interrupted:  # which the server passes on by itself most of the time, but not always
            raise KeyboardInterrupt
        if server.last_signal in HANGING_UP:
            signal.raise_signal(server.last_signal)  # for those who took it before


@contextmanager
def _hung_up(server: _Server) -> Iterator[None]:
    """Have a closed terminal end a server as orderly as other signals do, unless that is to be ignored."""
    before = {number: signal.getsignal(number) for number in HANGING_UP}
    taken = [number for number, act in before.items() if act != signal.SIG_IGN]
    try:
        for number in taken:
            signal.signal(number, server.handle_exit)
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"the server can't listen at {host}, port {port} ({reason}); give another --port.") from None
    # asyncio lets small answers go at once only on sockets that say they are TCP; others wait some 40 ms
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())


class _Server(uvicorn.Server):
    """A server that says where it is, and opens the page, once it answers."""

    def __init__(self, config: uvicorn.Config, address: str, *, page: str | None) -> None:
        super().__init__(config)
        self._address, self._page = address, page
        self.last_signal = 0
        """What has ended it."""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C has ended it."""
        return self.last_signal == signal.SIGINT

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.last_signal = sig
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        logging.getLogger("spoticell").info("serving at %s; Ctrl-C ends it", self._address)
        if self._page is not None:
            threading.Thread(target=webbrowser.open, args=(self._page,), daemon=True).start()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
