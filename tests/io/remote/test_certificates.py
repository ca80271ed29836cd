"""A host whose certificate nobody vouches for."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.serving import server_of

from spoticell.errors import DownloadError
from spoticell.io import open_cells

x509 = pytest.importorskip("cryptography.x509", reason="needs cryptography, which comes with moto")
pytest.importorskip("aiohttp", reason="stores need the extra 'remote': pip install '.[remote]'")


@pytest.fixture
def unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server with a certificate of its own making."""
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - of the tests of stores
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    monkeypatch.setenv("no_proxy", "localhost")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    begin = datetime.datetime(2020, 1, 1)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin.replace(year=2100))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = built.add_extension(names, critical=True).sign(key, hashes.SHA256())
    file = tmp_path / "own.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + certificate.public_bytes(pem))

    def answer(request: BaseHTTPRequestHandler) -> None:
        raise AssertionError(request.path)

    http = server_of(answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://localhost:{http.server_address[1]}"
    http.shutdown()
    http.server_close()
    thread.join()


def test_cells_are_not_taken_from_a_host_that_nobody_vouches_for(unknown: str) -> None:
    with pytest.raises(DownloadError, match="certificate is not valid"):
        open_cells(f"{unknown}/cells.h5ad?signature=s3cr3t")
    with pytest.raises(DownloadError, match="the certificate of its host is not valid"):
        open_cells(f"{unknown}/cells.zarr")
