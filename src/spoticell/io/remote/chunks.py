"""A zarr store at an address: chunks are fetched when they are first needed, and kept in the temporary folder.

A matrix is read several times, so each chunk travels once.  Object stores say beforehand what they hold; over https
nothing can be listed, and the store's consolidated metadata says which arrays there are.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.storage import LocalStore, WrapperStore

from spoticell.errors import FileFormatError
from spoticell.io.address import Address
from spoticell.io.formats.h5ad import AnnDataSource
from spoticell.io.remote.stores import changed, may_pass, speaking, version
from spoticell.io.source import BLOCK, CellBlock
from spoticell.io.storage.room import Holds
from spoticell.io.storage.tree import MOST_CHUNK_BYTES, reading
from spoticell.io.storage.zarr import METADATA, MOST_METADATA, ZarrTree

TRIES = 4
PAUSE = 0.5
"""Seconds before the second try, doubled for each further one."""
MOST_UNLISTED = 1 << 34
"""Bytes that a store is taken to hold if it can't say."""

Infos = Mapping[str, Mapping[str, Any]]
"""What a store says of its objects, under their names in it."""


class Chunks(WrapperStore[LocalStore]):
    """Objects of a zarr store, fetched into a folder when they are first read.

    Parameters
    ----------
    fs
        The library's way to the store.
    address
        Of the zarr store.
    infos
        What is in it, None where that can't be listed.
    folder
        Where fetched objects are kept.
    """

    def __init__(self, fs: Any, address: Address, infos: Infos | None, folder: Path) -> None:  # noqa: ANN401
        super().__init__(LocalStore(folder, read_only=True))
        self._fs, self._address, self._infos, self._folder = fs, address, infos, folder
        self._absent = set[str]()
        self.n_fetched = 0
        """Objects that came so far."""

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:  # noqa: ANN401
        """Give an object or a part of it, None where there is none."""
        return await super().get(key, prototype, byte_range) if await self.bring(key) else None

    async def get_partial_values(self, prototype: Any, key_ranges: Iterable[tuple[str, Any]]) -> list[Any]:  # noqa: ANN401
        """Give parts of objects."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def _get_many(self, requests: Iterable[tuple[str, Any, Any]]) -> AsyncGenerator[tuple[str, Any], None]:
        async for one in Store._get_many(self, requests):
            yield one

    async def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return await self.bring(key)

    @property
    def supports_listing(self) -> bool:
        """Whether the store can say what it holds."""
        return self._infos is not None

    async def list(self) -> AsyncIterator[str]:
        """Name all objects."""
        for key in self._infos or ():
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Name the objects below a place."""
        for key in self._infos or ():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Name what lies directly in a folder."""
        start = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        for name in dict.fromkeys(
            key[len(start) :].partition("/")[0] for key in self._infos or () if key.startswith(start)
        ):
            yield name

    async def bring(self, key: str) -> bool:
        """Have an object in the folder, and say whether there is one."""
        parts = key.split("/")
        if not {"", ".", ".."}.isdisjoint(parts) or key in self._absent:
            return False
        path = self._folder.joinpath(*parts)
        if path.is_file():
            return True
        if self._infos is not None and key not in self._infos:
            return False
        address = self._address / key
        with speaking(address):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f"{secrets.token_hex(8)}.part")
            try:
                there = await self._fetch(address, part)
                if there:
                    self._check(address, key, part)
                    part.replace(path)
                    self.n_fetched += 1
            finally:
                part.unlink(missing_ok=True)
        if not there:
            if self._infos is not None:
                raise changed(address)
            self._absent.add(key)
        return there

    async def _fetch(self, address: Address, part: Path) -> bool:
        for number in itertools.count(1):
            try:
                # the library's connections live in a loop of its own
                work = asyncio.run_coroutine_threadsafe(self._fs._get_file(address.full, str(part)), self._fs.loop)
                await asyncio.wrap_future(work)
            except FileNotFoundError:
                return False
            except Exception as error:
                if number == TRIES or not may_pass(error):
                    raise
                await asyncio.sleep(PAUSE * 2 ** (number - 1))
            else:
                return True
        raise AssertionError("unreachable")  # pragma: no cover

    def _check(self, address: Address, key: str, part: Path) -> None:
        size = part.stat().st_size
        if self._infos is not None and size != self._infos[key].get("size"):
            raise changed(address)
        most = MOST_METADATA if key.rpartition("/")[2] in METADATA else MOST_CHUNK_BYTES
        if size > most:
            raise FileFormatError(f"{address} has {size:,} bytes, and {most:,} is the most that it may have.")


class RemoteTree(ZarrTree):
    """A zarr store at an address, opened for reading.

    Raises
    ------
    FileFormatError
        If it is none, or what is in it can't be known.
    """

    def __init__(self, fs: Any, address: Address, infos: Infos | None, folder: Path) -> None:  # noqa: ANN401
        self.name, self._fs, self._address, self._infos = address.name, fs, address, infos
        self.room = _holds(infos)
        self._chunks = Chunks(fs, address, infos, folder)
        self._store = self._chunks
        self._tag = {} if infos is not None else self._tag_now()
        self._seen = 0
        try:
            with reading(self.name, "the store"):
                self._root = zarr.open_group(self._chunks, mode="r")
                consolidated = self._root.metadata.consolidated_metadata
        except FileFormatError as error:
            if infos is not None or self._tag:
                raise
            raise FileFormatError(
                f"{address}: no zarr store lies there, and a web server doesn't list what else does. Give the address "
                "of one file."
            ) from error
        if infos is None and consolidated is None:
            raise FileFormatError(
                f"{address} has no consolidated metadata, and a web server doesn't list what it holds. "
                "Write it with zarr.consolidate_metadata, or give it as one file: a zip of the store, or .h5ad."
            )

    def n_missing_chunks(self, array: Any) -> int:  # noqa: ANN401
        """How many chunks are not stored; where nothing can be listed, all of them are fetched to find out."""
        if self._infos is not None:
            return super().n_missing_chunks(array)
        sides = array.shards or array.chunks
        places = itertools.product(
            *(range(-(-int(length) // int(side))) for length, side in zip(array.shape, sides, strict=True))
        )
        with reading(self.name, f"'{array.name}'"):
            keys = [f"{array.path}/{array.metadata.encode_chunk_key(place)}" for place in places]
            return len(keys) - sum(zarr.core.sync.sync(self._all(keys)))

    async def _all(self, keys: list[str]) -> list[bool]:
        at_once = asyncio.Semaphore(int(zarr.config.get("async.concurrency")))

        async def one(key: str) -> bool:
            async with at_once:
                return await self._chunks.bring(key)

        return await asyncio.gather(*map(one, keys))

    def check_unchanged(self) -> None:
        """Refuse a store that isn't what it was when it was opened; asked only if anything came since the last time.

        Raises
        ------
        DownloadError
            If an object is another one, is gone or is new.  Over https only the description of the store is compared.
        """
        if self._seen == self._chunks.n_fetched:
            return
        self._seen = self._chunks.n_fetched
        if self._infos is None:
            same = self._tag_now() == self._tag
        else:
            now = listed(self._fs, self._address)
            same = {key: version(info) for key, info in now.items()} == {
                key: version(info) for key, info in self._infos.items()
            }
        if not same:
            raise changed(self._address)

    def _tag_now(self) -> dict[str, str]:
        """Give what tells this version of the store's description from others."""
        for name in ("zarr.json", ".zmetadata"):
            address = self._address / name
            with speaking(address):
                try:
                    return version(self._fs.info(address.full))
                except FileNotFoundError:
                    continue
        return {}


class RemoteCells(AnnDataSource):
    """Cells of a zarr store at an address."""

    tree: RemoteTree

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Any:  # noqa: ANN401
        """Stream ``matrix``, and refuse it in the end if the store changed meanwhile."""
        return self._watched(matrix, size)

    def _watched(self, matrix: str, size: int) -> Iterable[CellBlock]:
        yield from super().blocks(matrix, size=size)
        self.tree.check_unchanged()


def listed(fs: Any, address: Address) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401
    """Give what an object store says of all that lies below an address, under the names there."""
    with speaking(address):
        found = fs.find(address.full, detail=True)
    start = f"{address.full.partition('://')[2].rstrip('/')}/"
    return {path.removeprefix(start): info for path, info in found.items() if path.startswith(start) and path != start}


def _holds(infos: Infos | None) -> Holds:
    size = MOST_UNLISTED if infos is None else sum(int(info.get("size") or 0) for info in infos.values())
    return lambda n_bytes: n_bytes <= size
