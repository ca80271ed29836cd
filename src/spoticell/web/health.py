"""Whether the server does its work: what a program that watches over it asks."""

from __future__ import annotations

import sqlite3
from typing import Any

from spoticell.web.jobs import now
from spoticell.web.site import SWEEP, Site

LATE = 5
"""After how many times its usual pause the sweeper is late."""


def health(site: Site) -> dict[str, Any]:
    """Give how threads, table and disk are, and in words what is not well.

    Nothing of it tells of a job: it may be read without a token.

    Parameters
    ----------
    site
        The server.
    """
    threads, moment = site.workers.threads, now()
    wrong = [_ill(thread.name, thread.trouble) for thread in threads if thread.trouble or not thread.alive]
    swept_ago = moment - site.swept
    if not site.sweeper.alive or site.sweeper.trouble or swept_ago > LATE * SWEEP:
        wrong.append(_ill(site.sweeper.name, site.sweeper.trouble))
    since, has_table = None, True
    free = 0
    try:
        since, free = site.jobs.waiting_since(), site.quota.free()
    except sqlite3.Error:
        has_table = False
        wrong.append("The table of jobs can't be read.")
    if has_table and free <= 0:
        wrong.append("There is no room for more files.")
    return {
        "ok": not wrong,
        "wrong": wrong,
        "workers": sum(thread.alive for thread in threads),
        "workers_needed": len(threads),
        "sweeper": site.sweeper.alive,
        "seconds_since_sweep": round(swept_ago, 1),
        "table": has_table,
        "free_bytes": max(free, 0),
        "oldest_waits_seconds": None if since is None else round(moment - since, 1),
    }


def _ill(name: str, trouble: str | None) -> str:
    """Say what is wrong with a thread."""
    name = name[0].upper() + name[1:]
    return f"{name} does not get on ({trouble})." if trouble else f"{name} is not at work."
