"""What a catalogue may say, and which of its models is meant."""

from __future__ import annotations

import json

import pytest

from spoticell.errors import BundleError
from spoticell.model.catalogue import MODEL_LIMIT, Catalogue, Offer, check_revision, parse_catalogue

FIELDS = {
    "name": "blood",
    "sha256": "ab" * 32,
    "bytes": 1000,
    "date": "2026-01-01",
    "licence": "MIT",
    "description": "Cells of blood.",
    "types": 6,
    "genes": 200,
    "spoticell_version": "0.1.0",
    "folder": "blood/abababababab",
}


def offer(**fields: object) -> Offer:
    return Offer.model_validate(FIELDS | fields)


def written(*models: dict[str, object], version: object = "1.0") -> bytes:
    return json.dumps({"format_version": version, "models": list(models)}).encode()


def test_what_is_written_is_read_again():
    catalogue = Catalogue(models=(offer(), offer(sha256="cd" * 32)))
    assert parse_catalogue(catalogue.text().encode(), where="models.json") == catalogue


def test_what_a_later_minor_format_adds_is_passed_over():
    found = parse_catalogue(written(FIELDS | {"colour": "blue"}, version="1.7"), where="models.json")
    assert found.models == (offer(),)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"models", "is not JSON"),
        (b"[]", "it states no format_version"),
        (b"{}", "it states no format_version"),
        (written(version="2.0"), "is a catalogue of format 2.0, and this Spoticell reads 1.x; use a later release"),
        (written(FIELDS | {"name": "../blood"}), "not a sound catalogue of models: models.0.name"),
        (written(FIELDS | {"sha256": "none"}), "models.0.sha256"),
        (written(FIELDS | {"bytes": MODEL_LIMIT + 1}), "models.0.bytes"),
        (written({"name": "blood"}), "models.0.sha256: Field required"),
    ],
)
def test_what_is_no_catalogue_is_refused(raw, why):
    with pytest.raises(BundleError, match=f"^models.json .*{why}"):
        parse_catalogue(raw, where="models.json")


@pytest.mark.parametrize(
    "folder", ["../blood", "/etc", "a/../b", "", "a//b", "a\\b", "http://example.org/a", "file:///etc", "https:///a"]
)
def test_a_place_outside_of_the_catalogue_is_refused(folder):
    with pytest.raises(BundleError, match="leads out of the catalogue and is no https address"):
        parse_catalogue(written(FIELDS | {"folder": folder}), where="models.json")


@pytest.mark.parametrize("folder", ["blood", "blood/1", "https://example.org/blood"])
def test_places_inside_and_https_addresses_are_taken(folder):
    assert parse_catalogue(written(FIELDS | {"folder": folder}), where="models.json").models[0].folder == folder


def test_the_newest_is_meant_where_no_revision_is_asked_for():
    old, new = offer(), offer(sha256="cd" * 32)
    catalogue = Catalogue(models=(old, new))
    assert catalogue.choose("blood", place="here") == new
    assert catalogue.choose("blood", "ababab", place="here") == old


@pytest.mark.parametrize(
    ("names", "asked", "sentence"),
    [
        (["blood", "lung"], "blod", "here offers no model 'blod'; the nearest that it offers is 'blood'."),
        (["blood", "lung"], "xyz", "here offers no model 'xyz'; it offers blood, lung."),
        ([], "blood", "here offers no model 'blood'; it is empty."),
    ],
)
def test_a_name_that_is_not_offered_is_answered_with_what_is(names, asked, sentence):
    with pytest.raises(BundleError) as error:
        Catalogue(models=tuple(offer(name=name) for name in names)).choose(asked, place="here")
    assert str(error.value) == sentence


def test_a_revision_that_is_not_offered_is_answered_with_those_that_are():
    with pytest.raises(BundleError, match=r"no revision 123456 of blood; it offers abababababab, newest last"):
        Catalogue(models=(offer(),)).choose("blood", "123456", place="here")


@pytest.mark.parametrize("revision", ["", "abc", "main", "../ab12", "ABCDEF", "a" * 65])
def test_what_can_be_no_revision_is_refused(revision):
    with pytest.raises(BundleError, match="is no revision"):
        check_revision(revision)


@pytest.mark.parametrize("field", ["types", "genes", "bytes"])
@pytest.mark.parametrize("value", [True, 10**30, 0, "7", 1.5])
def test_numbers_are_numbers_of_a_size_that_can_be(field, value):
    with pytest.raises(BundleError, match=f"models.0.{field}"):
        parse_catalogue(written(FIELDS | {field: value}), where="models.json")


@pytest.mark.parametrize("folder", ["blood/\n/x", "bl\u202eod", "x" * 201, "https://example.org/" + "x" * 1_000])
def test_a_place_that_nobody_can_read_or_no_disk_has_is_refused(folder):
    with pytest.raises(BundleError, match=r"models\.0\.folder"):
        parse_catalogue(written(FIELDS | {"folder": folder}), where="models.json")


def test_a_model_that_is_offered_twice_is_listed_once_where_it_stands_last():
    other = FIELDS | {"sha256": "cd" * 32}
    found = parse_catalogue(written(FIELDS, other, FIELDS), where="models.json")
    assert found.models == (offer(sha256="cd" * 32), offer())


@pytest.mark.parametrize(("asked", "shown"), [("ababab", 12), ("ab" * 6, 15)])
def test_a_beginning_that_two_revisions_have_is_refused_with_both(asked, shown):
    one, other = "ab" * 7 + "0" * 50, "ab" * 7 + "1" * 50
    if shown == 12:
        other = "ab" * 3 + "1" * 58
    catalogue = Catalogue(models=(offer(sha256=one), offer(sha256=other)))
    with pytest.raises(BundleError, match=f"begin with {asked}: .*{one[:shown]}.*Name one") as error:
        catalogue.choose("blood", asked, place="here")
    assert other[:shown] in str(error.value)
    assert catalogue.choose("blood", one[:20], place="here").sha256 == one


def test_a_long_name_that_is_not_offered_is_cut():
    with pytest.raises(BundleError) as error:
        Catalogue().choose("x" * 5_000, place="here")
    assert len(str(error.value)) < 200


def test_a_catalogue_of_a_later_minor_format_is_read_and_not_added_to():
    later = parse_catalogue(written(FIELDS, version="1.3"), where="models.json")
    assert later.models == (offer(),)
    with pytest.raises(BundleError, match=r"later format 1\.3, and this Spoticell writes 1\.0"):
        later.with_offer(offer(sha256="cd" * 32))
