"""One request to the hub in memory: read, answered as its routes say, or cut, refused, left."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.hub_state import USERS, Asked, Commit, Fault, Hub, Repo

__all__ = ["RefusedError", "Visit"]


class RefusedError(Exception):
    """Raised to answer with a status, and what the hub calls the error."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class CutError(Exception):
    """Raised where the line goes."""


class Visit(BaseHTTPRequestHandler):
    """One request; `routes` says who answers it: methods, a pattern of the path, and how."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: Hub
    routes: tuple[tuple[str, str, Callable[..., None]], ...]
    body: bytes
    query: dict[str, list[str]]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._visit
        raise AttributeError(name)

    def _visit(self) -> None:
        split = urlsplit(self.path)
        path, self.query, self.body = unquote(split.path), parse_qs(split.query), b""
        hub, self.status, log = self.hub, 0, self.hub.log
        with hub.lock:
            fault = hub.fault
            hit = fault is not None and fault.hits(self.command, path)
        try:
            if fault is not None and hit:
                self._suffer(fault, path)
            else:
                self.body = self._read()
                self._answer(path)
        except CutError:
            self._hang_up()
        finally:
            log.append(Asked(self.command, path, len(self.body), self.status))

    def _suffer(self, fault: Fault, path: str) -> None:
        if fault.kind == "half":
            self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
        if fault.kind in {"cut", "half"}:
            raise CutError
        self.body = self._read()
        if fault.kind == "hang":
            self.hub.over.wait(fault.seconds)
            raise CutError
        if fault.kind == "deaf":
            self.respond = lambda *_, **__: None  # type: ignore[method-assign]  # of this visit
            self._answer(path)
            raise CutError
        assert isinstance(fault.kind, int)
        # Gateways answer with pages, not with JSON.
        page = b"<html>the gateway says no</html>"
        self.respond(fault.kind, page, "text/html", **fault.headers)

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                raise CutError
            return body
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _hang_up(self) -> None:
        """Reset the connection, as a line that breaks does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _answer(self, path: str) -> None:
        if self.hub.before:
            self.hub.before(self.command, path)
        for method, pattern, answer in self.routes:
            found = re.fullmatch(pattern, path)
            if found and self.command in method:
                try:
                    with self.hub.lock:
                        answer(self, **found.groupdict())
                except RefusedError as refused:
                    named = {"X-Error-Code": refused.code, "X-Error-Message": str(refused)}
                    headers = named if refused.code else {}
                    self.say({"error": str(refused)}, refused.status, **headers)
                return
        self.say({"error": "Not Found"}, 404)

    def say(self, value: object, status: int = 200, /, **headers: str) -> None:
        self.respond(status, json.dumps(value).encode(), "application/json", **headers)

    def respond(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: tests read what the command says."""

    # ---- who asks, and what for

    @property
    def user(self) -> str:
        """Who asks; "" for nobody."""
        told = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if told and told not in USERS:
            raise RefusedError(401, "Invalid credentials in Authorization header")
        return USERS.get(told, "")

    def repo(self, id_: str, *, write: bool = False) -> Repo:
        user = self.user
        repo = self.hub.repos.get(id_)
        mine = user == id_.partition("/")[0]
        if repo is None or (repo.private and not mine):
            raise RefusedError(404 if user else 401, "Repository not found", "RepoNotFound")
        if write and not mine:
            raise RefusedError(403 if user else 401, f"you may not write to {id_}")
        return repo

    def commit_of(self, repo: Repo, revision: str) -> Commit:
        found = repo.at(revision)
        if found is None:
            raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    @property
    def told(self) -> Any:
        return json.loads(self.body)
