"""Places: which text is taken for an address, and that none shows what must stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from spoticell.errors import ConfigError
from spoticell.io import open_cells
from spoticell.io.address import Address, place, place_in


@pytest.mark.parametrize(
    ("text", "name", "folders"),
    [
        ("s3://bucket/a/cells.h5ad", "cells.h5ad", ("bucket", "a")),
        ("gs://bucket/cells.zarr/", "cells.zarr", ("bucket",)),
        ("https://example.org/a%20b/c%20d.csv.gz?x=/y", "c d.csv.gz", ("example.org", "a%20b")),
        ("http://localhost:8000/cells.h5", "cells.h5", ("localhost:8000",)),
        ("HTTPS://example.org/cells.h5#part", "cells.h5", ("example.org",)),
        ("https://example.org/a/..%2f..%2fetc", ".._.._etc", ("example.org", "a")),
        ("https://example.org/..", "cells", ("example.org",)),
    ],
)
def test_an_address_has_a_name_that_a_file_may_have(text: str, name: str, folders: tuple[str, ...]) -> None:
    address = place(text)
    assert isinstance(address, Address)
    assert (address.name, address.folders) == (name, folders)
    assert place(address) is address
    assert address.resolve() is address
    assert (address.stem, address.suffix) == (Path(name).stem, Path(name).suffix)


def test_a_long_name_is_cut_to_what_a_disk_takes() -> None:
    assert place(f"s3://bucket/{'x' * 300}.h5ad").name == f"{'x' * 145}.h5ad"


def test_a_path_stays_a_path_whatever_it_is_called() -> None:
    assert place("cells.h5ad") == Path("cells.h5ad")
    assert place("data/a://b") == Path("data/a://b")
    assert place("C://cells.h5ad") == Path("C://cells.h5ad")
    assert place(Path("s3://bucket/cells.h5ad")) == Path("s3:/bucket/cells.h5ad")
    assert place("./s3:/cells.h5ad") == Path("s3:/cells.h5ad")
    assert place_in(object()) is None  # type: ignore[arg-type]
    assert place_in("s3://bucket/x") == Address("s3://bucket/x")


def test_a_path_object_is_never_taken_for_an_address() -> None:
    with pytest.raises(ValueError, match="there is no such file or folder"):
        open_cells(Path("https://192.0.2.1/cells.h5ad"))


@pytest.mark.parametrize("text", ["https:/example.org/x.h5ad?sig=secret", "S3:bucket/x", "http:x", "gs:/bucket/x"])
def test_an_address_that_lost_a_slash_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="an address begins with") as refused:
        place(text)
    assert text.partition(":")[2] not in str(refused.value)


def test_file_addresses_are_paths(tmp_path: Path) -> None:
    assert place((tmp_path / "a b.h5ad").as_uri()) == tmp_path / "a b.h5ad"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp://example.org/cells.h5ad", "ftp:// addresses aren't taken"),
        ("memory://cells.h5ad", "memory:// addresses aren't taken"),
        ("simplecache::s3://bucket/cells.h5ad", "simplecache::s3:// addresses aren't taken"),
        ("http://example.org/cells.h5ad", "is not encrypted"),
        ("s3://bucket", "names no object"),
        ("s3:///cells.h5ad", "names no object"),
        ("https:///cells.h5ad", "is no address"),
        ("https://[::1/cells.h5ad", "is none that can be"),
        ("https://user:s3cr3t@example.org/cells.h5ad", "has a user or a password in it"),
        ("s3://key:s3cr3t@bucket/cells.h5ad", "has a user or a password in it"),
    ],
)
def test_other_addresses_are_refused_in_a_sentence_without_secrets(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as error:
        place(text)
    assert why in str(error.value)
    assert "s3cr3t" not in str(error.value)


def test_what_lets_people_in_is_never_shown_and_goes_along_to_what_lies_below() -> None:
    address = Address("https://example.org/cells.zarr/?sv=1&sig=s3cr3t")
    below = address / "obs/cell type/zarr.json"
    assert below.full == "https://example.org/cells.zarr/obs/cell%20type/zarr.json?sv=1&sig=s3cr3t"
    assert "s3cr3t" not in f"{address} {address!r} {below} {below!r} {below.name}"
    assert (Address("https://example.org/a") / "b").full == "https://example.org/a/b"
