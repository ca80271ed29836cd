"""`spoticell serve` whose runs wait while a file called ``hold`` lies in its data folder.

A test that does something during a run has all the time that it needs, however quick or slow the machine is.
"""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection

from spoticell.cli import main
from spoticell.web import child, workers
from spoticell.web.task import RUN, Task


def run(connection: Connection, task: Task) -> None:
    hold = task.folder.parents[1] / "hold"
    if task.kind == RUN and hold.exists():
        threading.Thread(target=child._end_with_server, args=(connection,), daemon=True).start()
        child._send(connection, {"stage": "naming cells", "progress": 0.25})
        while hold.exists():
            time.sleep(0.02)
    child.run(connection, task)


if __name__ == "__main__":
    workers.run = run
    main()
