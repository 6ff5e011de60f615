"""A server that speaks S3 (moto's, in a process), and what may stand between it and us."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

__all__ = ["KEY", "S3", "SECRET", "bucket", "s3", "s3_server"]

KEY, SECRET = "AKIACANTE", "a-very-secret-key-of-s3"

Rule = Callable[[str, str], str]
"""Of a method and a path: "" to pass it on, or what becomes of it: see `S3`."""

_ERRORS = {
    "403": ("AccessDenied", "Access Denied"),
    "404": ("NoSuchBucket", "The specified bucket does not exist"),
    "500": ("InternalError", "We encountered an internal error. Please try again."),
    "503": ("SlowDown", "Please reduce your request rate."),
}


class S3:
    """Stands before the server.  `rule` says of each request what becomes of it:

    "" it is passed on; "403", "404", "500", "503" it fails so; "cut" its answer breaks off;
    "lost" it is done, and no answer comes; "hang" nothing comes; "short" it ends early, politely.
    """

    def __init__(self, port: int) -> None:
        self.rule: Rule = lambda _method, _path: ""
        self.seen: list[tuple[str, str]] = []
        self.ended = threading.Event()
        self._port = port
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                between.answer(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = _handle  # noqa: N815  # its names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, visit: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = visit.rfile.read(int(visit.headers.get("Content-Length") or 0))
        self.seen.append((visit.command, visit.path))
        what = self.rule(visit.command, visit.path)
        if what in _ERRORS:
            _fail(visit, what)
            return
        if what == "hang":
            self.ended.wait(30)
        else:
            self._pass_on(visit, body, what)
        visit.close_connection = visit.close_connection or bool(what)

    def _pass_on(self, visit: BaseHTTPRequestHandler, body: bytes, what: str) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(upstream):
            upstream.request(visit.command, visit.path, body, dict(visit.headers.items()))
            answer = upstream.getresponse()
            data = answer.read()
        if what == "lost":
            return
        visit.send_response(answer.status)
        dropped = {"connection", "transfer-encoding", "content-length", "date", "server"}
        for name, value in answer.getheaders():
            if name.lower() not in dropped:
                visit.send_header(name, value)
        n_bytes = len(data) if visit.command != "HEAD" else int(answer.headers["Content-Length"])
        sent = data[: len(data) // 2] if what in {"cut", "short"} else data
        visit.send_header("Content-Length", str(len(sent) if what == "short" else n_bytes))
        visit.end_headers()
        with contextlib.suppress(ConnectionError):  # who asked has given up
            visit.wfile.write(sent)

    # ---- by hand

    def keys(self, bucket: str) -> dict[str, bytes]:
        """All that is in a bucket."""
        client = client_of(self._port)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Put something in a bucket, as others may."""
        client_of(self._port).put_object(Bucket=bucket, Key=key, Body=data)

    def remove(self, bucket: str, key: str) -> None:
        """Remove something from a bucket, as others may."""
        client_of(self._port).delete_object(Bucket=bucket, Key=key)

    def unfinished(self, bucket: str) -> int:
        """How many files are being sent in parts."""
        return len(client_of(self._port).list_multipart_uploads(Bucket=bucket).get("Uploads", []))

    def versions(self, bucket: str) -> None:
        """Have older versions kept in a bucket."""
        wanted = {"Status": "Enabled"}
        client_of(self._port).put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted)


def client_of(port: int) -> Any:
    """boto3's, for what the tests themselves do."""
    import boto3

    url, region = f"http://127.0.0.1:{port}", "eu-south-2"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("s3", endpoint_url=url, region_name=region, **keys)


def _fail(visit: BaseHTTPRequestHandler, code: str) -> None:
    name, message = _ERRORS[code]
    said = f"<Error><Code>{name}</Code><Message>{message}</Message></Error>".encode()
    said = b"" if visit.command == "HEAD" else said
    visit.send_response(int(code))
    visit.send_header("Content-Type", "application/xml")
    visit.send_header("Content-Length", str(len(said)))
    visit.end_headers()
    visit.wfile.write(said)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """One server for all tests; each takes a bucket of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        _wait(process, f"http://127.0.0.1:{port}/moto-api/")
        with contextlib.closing(S3(port)) as standing:
            yield standing
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        assert process.poll() is None, "moto's server ended"
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, trust_env=False)
            return
        time.sleep(0.1)
    raise AssertionError("moto's server does not start")


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """The server, as a person's environment names it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-2")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3_server.seen.clear()
    yield s3_server
    s3_server.rule = lambda _method, _path: ""


@pytest.fixture
def bucket(s3: S3) -> str:
    """The name of a new bucket."""
    name = f"cante-{uuid.uuid4().hex}"
    where = {"LocationConstraint": "eu-south-2"}
    client_of(s3._port).create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return name
