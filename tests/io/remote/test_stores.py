"""What stores and their libraries refuse, in words and without secrets."""

from __future__ import annotations

import asyncio
import errno
import ssl
from types import SimpleNamespace

import pytest

from spoticell.errors import DownloadError, OutputError
from spoticell.io.address import Address
from spoticell.io.remote import stores
from spoticell.io.remote.stores import changed, reason, speaking, version

HERE = Address("s3://cells/cells.h5ad")


class ClientError(Exception):
    """As botocore's."""

    def __init__(self, code: object) -> None:
        super().__init__("https://host/?signature=s3cr3t")
        self.response = {"Error": {"Code": code}}


class NoCredentialsError(Exception):
    pass


class ClientConnectorError(OSError):
    pass


class ClientPayloadError(Exception):
    pass


class HttpError(Exception):
    """As gcsfs's."""

    def __init__(self, code: int) -> None:
        super().__init__("s3cr3t")
        self.code = code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "no credentials were found. Set them as for gcloud: gcloud auth"),
        (ClientError("InvalidAccessKeyId"), "the credentials are not valid, or no longer"),
        (ClientError("ExpiredToken"), "the credentials are not valid, or no longer"),
        (HttpError(401), "the credentials are not valid, or no longer"),
        (ClientError("NoSuchBucket"), "there is no such bucket"),
        (ClientError("AccessDenied"), "you lack the permission"),
        (OSError("Forbidden: https://host/s3cr3t"), "you lack the permission"),
        (ClientError("NoSuchKey"), "there is no such file"),
        (FileNotFoundError("s3cr3t"), "there is no such file"),
        (ssl.SSLCertVerificationError("s3cr3t"), "the certificate of its host is not valid"),
        (ClientConnectorError("s3cr3t"), "its host can't be reached"),
        (TimeoutError(), "its host did not answer in time"),
        (ClientPayloadError("s3cr3t"), "the connection broke off"),
        (ClientError("SlowDown"), "its host answered SlowDown"),
        (HttpError(418), "its host answered 418"),
        (ClientError({"s3cr3t": 1}), "an error of the library (ClientError)"),
        (ValueError("s3cr3t"), "an error of the library (ValueError)"),
    ],
)
def test_what_is_refused_has_words_of_its_own(error: Exception, words: str) -> None:
    assert reason(error, "gs").startswith(words)
    with pytest.raises(DownloadError) as told, speaking(HERE):
        raise error
    assert "s3cr3t" not in str(told.value)
    assert told.value.__cause__ is None


def test_the_cause_of_an_error_counts_too() -> None:
    error = FileNotFoundError("no")
    error.__cause__ = ClientError("NoSuchBucket")
    error.__cause__.__cause__ = error
    assert reason(error, "s3") == "there is no such bucket"
    assert reason(FileNotFoundError(), "s3", writing=True) == "there is no such bucket"


def test_a_full_disk_is_this_machines() -> None:
    with pytest.raises(OutputError, match="the disk is full"), speaking(HERE):
        raise OSError(errno.ENOSPC, "no room")
    with pytest.raises(OutputError, match="can't be written: you lack the permission"), speaking(HERE, writing=True):
        raise PermissionError
    with pytest.raises(DownloadError, match="changed while it was read"), speaking(HERE):
        raise changed(HERE)


def test_versions_differ_where_something_that_counts_does() -> None:
    assert version({"size": 1, "LastModified": None, "name": "x"}) == {"size": "1"}
    assert version({"etag": "a"}) != version({"etag": "b"})


def test_a_server_that_leads_away_from_encryption_is_not_followed() -> None:
    def sent(target: str) -> SimpleNamespace:
        return SimpleNamespace(
            response=SimpleNamespace(headers={"Location": target}), url=SimpleNamespace(host="example.org")
        )

    with pytest.raises(DownloadError, match=r"example\.org leads to an address without https"):
        asyncio.run(stores._stay_encrypted(None, None, sent("http://169.254.169.254/s3cr3t")))
    asyncio.run(stores._stay_encrypted(None, None, sent("https://example.org/cells")))
