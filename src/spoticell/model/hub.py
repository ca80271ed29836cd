"""A catalogue of models in a repository of the Hugging Face hub; needs the extra ``hub``.

The repository holds the same files as a folder does: ``models.json``, and the files of each model below it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spoticell.errors import BundleError, ConfigError, DownloadError
from spoticell.extras import needed
from spoticell.io.write import disk_reason
from spoticell.model.bundle import Bundle
from spoticell.model.catalogue import CATALOGUE, CATALOGUE_LIMIT, Catalogue, Offer, parse_catalogue
from spoticell.model.manifest import MANIFEST
from spoticell.progress import Progress


class HubShelf:
    """A catalogue in a repository, ``OWNER/NAME``."""

    def __init__(self, repository: str) -> None:
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise ConfigError(f"hf://{repository} is no repository of the hub; one is called hf://OWNER/NAME.")
        self._hub: Any = needed("huggingface_hub", extra="hub", doing="the Hugging Face hub")
        self._repository, self.place = repository, f"hf://{repository}"

    def catalogue(self) -> Catalogue:
        """Give what is offered."""
        found = self._offered()
        if found is None:
            raise BundleError(f"{self.place} is no catalogue of models: it holds no {CATALOGUE}.")
        return found

    def bring(self, offer: Offer, name: str, to: Path, *, most: int, on_progress: Progress | None = None) -> None:
        """Fetch one file of a model."""
        if "://" in offer.folder:
            raise BundleError(f"{self.place} is a repository, and {offer.name} lies elsewhere: {offer.folder[:200]}.")
        with self._speaking(), tempfile.TemporaryDirectory(dir=to.parent) as folder:
            self._fetch(f"{offer.folder}/{name}", Path(folder), most=most).replace(to)
        if on_progress is not None:
            on_progress(most, most)

    def push(self, bundle: Bundle, offer: Offer) -> bool:
        """Add a model in one commit, and say whether it is new; the repository is made if need be."""
        api, add = self._hub.HfApi(), self._hub.CommitOperationAdd
        with self._speaking():
            api.create_repo(self._repository, exist_ok=True)
            # if someone else pushes meanwhile, the hub refuses this commit, and none of theirs is lost
            before = api.repo_info(self._repository).sha
            catalogue = self._offered() or Catalogue()
            if any(one.sha256 == offer.sha256 for one in catalogue.models):
                return False
            files = [add(f"{offer.folder}/{name}", bundle.path / name) for name in (MANIFEST, *bundle.manifest.files)]
            files.append(add(CATALOGUE, catalogue.with_offer(offer).text().encode()))
            api.create_commit(
                self._repository, files, commit_message=f"{offer.name} {offer.revision}", parent_commit=before
            )
        return True

    def _offered(self) -> Catalogue | None:
        with self._speaking(), tempfile.TemporaryDirectory() as folder:
            try:
                path = self._fetch(CATALOGUE, Path(folder), most=CATALOGUE_LIMIT)
            except self._hub.errors.EntryNotFoundError as error:
                if isinstance(error, self._hub.errors.LocalEntryNotFoundError):
                    raise  # the hub can't be reached, and the file isn't here either
                return None
            return parse_catalogue(path.read_bytes(), where=f"{self.place}/{CATALOGUE}")

    def _fetch(self, name: str, folder: Path, *, most: int) -> Path:
        """Fetch a file of the repository into a folder, unless it is longer than it may be."""
        size = self._hub.get_hf_file_metadata(self._hub.hf_hub_url(self._repository, name)).size
        if size is None or size > most:
            raise BundleError(f"{self.place}/{name} has {size} bytes, and {most:,} is the most that it may have.")
        return Path(self._hub.hf_hub_download(self._repository, name, local_dir=folder))

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn what the hub's library has to say into a sentence."""
        try:
            yield
        except (BundleError, DownloadError):
            raise
        except (OSError, ValueError, self._hub.errors.HTTPError) as error:
            if disk_reason(error) is not None:
                raise
            # the first line is the server's number, the second what it means, and then comes advice for programmers
            lines = [line.strip() for line in str(error).splitlines() if line.strip()][:2] or [type(error).__name__]
            raise DownloadError(f"{self.place} can't be used: {' '.join(lines).rstrip('.')}.") from error
