"""Object stores and web servers as the library fsspec knows them, and what they refuse, in words.

The libraries' own words may hold addresses with signatures, so none of them is ever shown.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spoticell.errors import DownloadError, OutputError, SpoticellError
from spoticell.extras import needed
from spoticell.io.address import Address
from spoticell.io.write import disk_reason

_LIBRARIES = {"s3": "s3fs", "gs": "gcsfs", "https": "aiohttp", "http": "aiohttp"}
_OWN_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What only the disk of this machine says; other numbers are used by the libraries for other things."""
_VERSION = ("ETag", "etag", "generation", "size", "LastModified", "updated", "Last-Modified")
"""What tells one version of an object from another, as the libraries call it."""
_CREDENTIALS = {
    "s3": "Set them as for the aws command, in the environment or a profile; for a public bucket set "
    "FSSPEC_S3_ANON=true",
    "gs": "Set them as for gcloud: gcloud auth application-default login",
}
_UNKNOWN = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401"})
_FORBIDDEN = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403"})
_GONE = frozenset({"NoSuchKey", "404"})
_NO_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "ProfileNotFound",
        "DefaultCredentialsError",
        "RefreshError",
    }
)
_CERTIFICATE = frozenset({"SSLError", "SSLCertVerificationError", "ClientConnectorCertificateError"})
_UNREACHABLE = frozenset({"EndpointConnectionError", "ClientConnectorError", "ClientConnectorDNSError", "gaierror"})
_BROKEN = frozenset(
    {"ClientPayloadError", "IncompleteReadError", "ResponseStreamingError", "ServerDisconnectedError", "ClientOSError"}
)
_LATE = frozenset({"TimeoutError", "ConnectTimeoutError", "ReadTimeoutError", "ServerTimeoutError"})


def file_system(address: Address) -> Any:  # noqa: ANN401 - of a library of an extra
    """Give the library's way to the store of an address; nothing is asked of the store yet.

    Raises
    ------
    ConfigError
        If the library isn't installed.
    """
    doing = f"the address {address}"
    fsspec = needed("fsspec", extra="remote", doing=doing)
    library = needed(_LIBRARIES[address.scheme], extra="remote", doing=doing)
    # the library keeps what it opened, as the next address may be of the same store; what is there is asked anew
    options: dict[str, Any] = {"use_listings_cache": False}
    if library.__name__ == "aiohttp":
        tracing = library.TraceConfig()
        tracing.on_request_redirect.append(_stay_encrypted)
        # the library would end whatever takes five minutes
        timeout = library.ClientTimeout(total=None, sock_connect=30, sock_read=60)
        # encoded: what was signed must go out as it was given
        options = {
            "encoded": True,
            "skip_instance_cache": True,
            "client_kwargs": {"trust_env": True, "trace_configs": [tracing], "timeout": timeout},
        }
    return fsspec.filesystem(address.scheme, **options)


async def _stay_encrypted(_session: object, _context: object, sent: Any) -> None:  # noqa: ANN401
    target = sent.response.headers.get("Location", "")
    if target.lower().startswith("http:"):
        raise DownloadError(f"{sent.url.host} leads to an address without https, which is not followed.")


def version(info: Mapping[str, Any]) -> dict[str, str]:
    """Give what tells a version of an object from others.

    Examples
    --------
    >>> version({"name": "bucket/cells.h5ad", "size": 3, "ETag": "abc"})
    {'ETag': 'abc', 'size': '3'}
    """
    return {name: str(info[name]) for name in _VERSION if info.get(name) is not None}


def changed(address: Address) -> DownloadError:
    """Error about an object that isn't what it was when reading began."""
    return DownloadError(f"{address} changed while it was read. Run again when nobody writes to it.")


@contextmanager
def speaking(address: Address, *, writing: bool = False) -> Iterator[None]:
    """Turn what a store or its library refuses into one sentence without secrets.

    Parameters
    ----------
    address
        What is read or written.
    writing
        Whether it is to be written.

    Raises
    ------
    DownloadError, OutputError
        In place of whatever the library raises.
    """
    try:
        yield
    except SpoticellError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has errors of its own for it
        kind, what = (OutputError, "written") if writing else (DownloadError, "read")
        if getattr(error, "errno", None) in _OWN_DISK:
            raise OutputError(f"{address} can't be {what}: {disk_reason(error)}.") from None
        # from None: a traceback would show what the library says
        raise kind(f"{address} can't be {what}: {reason(error, address.scheme, writing=writing)}.") from None


def reason(error: BaseException, scheme: str, *, writing: bool = False) -> str:
    """Say in words why a store refused.

    Examples
    --------
    >>> reason(PermissionError("https://host/?signature=secret"), "s3")
    'you lack the permission'
    """
    names, code = _known(error)
    told = (
        (names & _NO_CREDENTIALS, f"no credentials were found. {_CREDENTIALS.get(scheme, '')}".rstrip(". ")),
        (code in _UNKNOWN, "the credentials are not valid, or no longer"),
        (code == "NoSuchBucket", "there is no such bucket"),
        (
            code in _FORBIDDEN or "PermissionError" in names or str(error).startswith("Forbidden"),
            "you lack the permission",
        ),
        (
            code in _GONE or "FileNotFoundError" in names,
            "there is no such bucket" if writing else "there is no such file",
        ),
        (names & _CERTIFICATE, "the certificate of its host is not valid"),
        (names & _UNREACHABLE, "its host can't be reached"),
        (names & _LATE, "its host did not answer in time"),
        (names & _BROKEN, "the connection broke off"),
        (code, f"its host answered {code}"),
    )
    return next((words for holds, words in told if holds), f"an error of the library ({type(error).__name__})")


def may_pass(error: BaseException) -> bool:
    """Whether it may go better the next time."""
    names, code = _known(error)
    return bool(names & (_BROKEN | _LATE)) or code in {"408", "425", "429", "500", "502", "503", "504"}


def _known(error: BaseException) -> tuple[set[str], str]:
    """Give the names of an error, its kinds and causes, and the code that the host answered with, '' if none."""
    names, code, one = set[str](), "", error
    seen = set[int]()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        names |= {kind.__name__ for kind in type(one).__mro__}
        if isinstance(one, ssl.SSLError):
            names.add("SSLError")
        code = code or _code(one)
        one = one.__cause__ or one.__context__  # type: ignore[assignment]
    return names, code


def _code(error: BaseException) -> str:
    answer = getattr(error, "response", None)
    found: Any = answer.get("Error", {}).get("Code", "") if isinstance(answer, dict) else ""
    found = found or getattr(error, "status", "") or getattr(error, "code", "")
    return str(found) if isinstance(found, int | str) and len(str(found)) < 40 else ""
