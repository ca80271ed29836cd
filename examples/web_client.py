"""Name the cells of a file on a Spoticell server, from a program.

    python web_client.py http://127.0.0.1:8050 cells.h5ad [TOKEN]

Needs httpx.  Writes ``types.csv`` and prints the types found.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx


def main() -> None:
    """Send the file, wait, run it, wait, fetch the answers, delete the job."""
    address, path, *token = sys.argv[1:]
    headers = {"Authorization": f"Bearer {token[0]}"} if token else {}
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        with Path(path).open("rb") as file:
            job = checked(client.post("/api/jobs", files={"file": (Path(path).name, file)}))
        job = wait(client, job)
        print("\n".join(job["lines"]))
        checked(client.post(f"/api/jobs/{job['id']}/run", json={}))
        job = wait(client, job)
        for kind in checked(client.get(job["links"]["summary"]))["types"]:
            print(f"{kind['cells']:>8,}  {kind['median_score']:.2f}  {kind['name']}")
        Path("types.csv").write_bytes(client.get(job["links"]["types.csv"]).raise_for_status().content)
        client.delete(job["links"]["self"])


def wait(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Follow a job until it rests, and end the program with its sentence if it failed."""
    for news in events(client, job["links"]["events"]):
        job = news
        print(f"{job['state']}: {job['stage']} {job['progress']:.0%}", file=sys.stderr)
    if job["error"]:
        sys.exit(job["error"])
    return job


def events(client: httpx.Client, address: str) -> Iterator[dict[str, Any]]:
    """Give what the server tells of a job, each time that it changes."""
    with client.stream("GET", address, timeout=None) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def checked(reply: httpx.Response) -> dict[str, Any]:
    """Give the JSON of a reply, or end the program with the server's sentence."""
    answer: dict[str, Any] = reply.json()
    if reply.is_error:
        sys.exit(answer["error"])
    return answer


if __name__ == "__main__":
    main()
