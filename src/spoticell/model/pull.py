"""Models fetched from a catalogue, and put in place only when every byte is what the catalogue states."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from spoticell.errors import BundleError, ConfigError, OutputError, SpoticellError, note
from spoticell.io.sealed import record_of
from spoticell.io.write import amount, remove, write_json, writing
from spoticell.model.bundle import PACKAGED, Bundle, load_bundle, packaged_bundles
from spoticell.model.catalogue import Offer, bytes_of, split_name
from spoticell.model.manifest import LOCK, MANIFEST, MANIFEST_LIMIT, PULLED, Manifest, read_manifest
from spoticell.model.pulled import let_mean, meant_revision, models_folder, read_source, stated
from spoticell.model.shelves import Shelf, open_shelf
from spoticell.progress import Progress, shown


def pull_model(
    name: str,
    catalogue: Path | str,
    *,
    revision: str | None = None,
    overwrite: bool = False,
    on_progress: Progress | bool = True,
) -> Bundle:
    """Fetch a trained model from a catalogue; it is known by its name after that, without a network.

    What was interrupted goes on where it was when the same call is made again.

    Parameters
    ----------
    name
        The model's, ``NAME`` or ``NAME@REVISION``.
    catalogue
        Where ``models.json`` lies: a folder, an ``https`` address, or ``hf://OWNER/NAME`` on the Hugging Face hub.
    revision
        The revision to fetch, the newest if not given.
    overwrite
        Whether the bare name may mean another revision than before, and a changed model be fetched anew.
    on_progress
        Whether to show a bar, or what to call with the bytes done and the bytes there are.

    Returns
    -------
    The model's bundle, checked.

    Raises
    ------
    SpoticellError
        If it isn't on offer, isn't what the catalogue states, or can't be fetched or written.

    Examples
    --------
    >>> import spoticell
    >>> spoticell.pull_model("blood", "https://example.org/models")  # doctest: +SKIP
    >>> spoticell.annotate("cells.h5ad", "named.h5ad", model="blood")  # doctest: +SKIP
    """
    name, pinned = split_name(name)
    if None not in {pinned, revision} and pinned != revision:
        raise ConfigError(f"{name}@{pinned} names one revision, and {revision} is another; give one of them.")
    asked = pinned if revision is None else revision
    shelf = open_shelf(catalogue)
    offer = shelf.catalogue().choose(name, asked, place=shelf.place)
    if name in packaged_bundles():
        if stated(PACKAGED / name).sha256 == offer.sha256:
            return load_bundle(name)
        note(f"{name} goes on meaning the model that travels with Spoticell; this one is {name}@{offer.revision}.")
    folder = models_folder() / name
    with _alone(folder), shown(on_progress, f"pulling {name}") as step:
        return _pulled(shelf, offer, folder, pinned=asked is not None, overwrite=overwrite, on_progress=step)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Work in the folder of a name alone; it is made if need be, and goes again if nothing comes into it."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / LOCK).is_symlink():
            (folder / LOCK).unlink()
        # another process that fetches the same model is waited for: it may be another job of the same person
        with FileLock(folder / LOCK):
            try:
                yield
            except SpoticellError:
                _tidy(folder)
                raise


def _tidy(folder: Path) -> None:
    """Remove the folder of a name of which nothing is here; who waits for the lock finds it gone, and makes another."""
    if [path.name for path in folder.iterdir()] == [LOCK]:
        with suppress(OSError):  # where an open file can't be removed
            (folder / LOCK).unlink()
            folder.rmdir()


def _pulled(
    shelf: Shelf, offer: Offer, folder: Path, *, pinned: bool, overwrite: bool, on_progress: Progress | None
) -> Bundle:
    try:
        meant = meant_revision(folder)
    except BundleError:
        if not overwrite:
            raise
        meant = None
    if meant not in {None, offer.revision} and not pinned and not overwrite:
        raise BundleError(
            f"{offer.name} is here as the revision {meant}, and {shelf.place} offers {offer.revision}. Ask for "
            f"{offer.name}@{offer.revision} to have it beside, or let the name mean it with --overwrite, in Python "
            "overwrite=True."
        )
    path = folder / offer.revision
    if os.path.lexists(path) and not _is_sound(path, offer):
        if not overwrite:
            raise BundleError(
                f"{path} is there already and was changed since it was pulled. Replace it with --overwrite, in Python "
                "overwrite=True."
            )
        remove(path)
    if not path.is_dir():
        _fetch(shelf, offer, path, on_progress)
    elif overwrite or read_source(path) is None:
        _record(shelf, offer, path)
    if meant is None or overwrite:
        let_mean(folder, offer.revision)
    return load_bundle(path)


def _is_sound(path: Path, offer: Offer) -> bool:
    try:
        return load_bundle(path).sha256 == offer.sha256
    except (BundleError, OSError):
        return False


def _fetch(shelf: Shelf, offer: Offer, path: Path, on_progress: Progress | None) -> None:
    """Fetch a model beside its place, and move it there once it is sound; of one that isn't, nothing is kept."""
    part = path.with_name(f"{path.name}.part")
    _clear(part)
    try:
        manifest = _manifest(shelf, offer, part)
        _check_room(part, manifest)
        done = 0
        for name, record in manifest.files.items():
            report = _report(on_progress, done, offer.bytes)
            shelf.bring(offer, name, part / name, most=record.bytes, on_progress=report)
            _compare(part / name, record.sha256, shelf, offer)
            done += record.bytes
        for stray in set(part.iterdir()) - {part / name for name in (MANIFEST, *manifest.files)}:
            remove(stray)
        _open(part)
    except BundleError as error:
        remove(part)
        # who reads this can look there, and no more at what was fetched
        there = offer.folder if "://" in offer.folder else f"{shelf.place}/{offer.folder}"
        raise BundleError(str(error).replace(str(part), there)) from None
    except KeyboardInterrupt as stop:
        stop.add_note(f"what was fetched stays in {part}, and the same command goes on with it")
        raise
    _record(shelf, offer, part)
    part.replace(path)


def _clear(part: Path) -> None:
    """Make a folder for what is fetched, or keep of it what nobody else can have put there to be written through."""
    if part.is_symlink() or not part.is_dir():
        remove(part)
    part.mkdir(exist_ok=True)
    for path in part.iterdir():
        # by its second name, a file somewhere else would be written to as by a link
        if path.is_symlink() or not path.is_file() or path.stat().st_nlink > 1:
            remove(path)


def _open(part: Path) -> None:
    """Open a bundle as a run does: hashes don't say that its network is one."""
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load, and often not needed

    bundle = load_bundle(part)
    Runtime(bundle, threads=1)
    _ = bundle.planes_bd


def _record(shelf: Shelf, offer: Offer, path: Path) -> None:
    """Write down where a model is from."""
    remove(path / PULLED)  # it might be a link
    write_json(path / PULLED, {"from": shelf.place, "name": offer.name, "sha256": offer.sha256})


def _manifest(shelf: Shelf, offer: Offer, part: Path) -> Manifest:
    path = part / MANIFEST
    shelf.bring(offer, MANIFEST, path, most=MANIFEST_LIMIT)
    _compare(path, offer.sha256, shelf, offer)
    manifest, raw = read_manifest(path)
    size = len(raw) + bytes_of(manifest)
    if manifest.name != offer.name or size != offer.bytes:
        raise BundleError(
            f"{shelf.place} offers {offer.name} with {offer.bytes:,} bytes, and what lies there is {manifest.name} "
            f"with {size:,}; nothing was kept."
        )
    return manifest


def _compare(path: Path, sha256: str, shelf: Shelf, offer: Offer) -> None:
    found = record_of(path).sha256
    if found != sha256:
        raise BundleError(
            f"{path.name} of {offer.name} from {shelf.place} is not what is stated: its sha256 is {found}, "
            f"not {sha256}; nothing was kept."
        )


def _check_room(part: Path, manifest: Manifest) -> None:
    here = sum(path.stat().st_size for path in part.iterdir() if path.is_file())
    needed, free = bytes_of(manifest) - here, shutil.disk_usage(part).free
    if needed > free:
        raise OutputError(
            f"{part} has {amount(free)} left and {amount(needed)} are still to come. Make room, or name "
            "another folder with SPOTICELL_MODELS."
        )


def _report(on_progress: Progress | None, start: int, total: int) -> Callable[[int, int], None]:
    def report(done: int, of: int) -> None:
        if on_progress is not None and of > 1:
            on_progress(start + done, total)

    return report
