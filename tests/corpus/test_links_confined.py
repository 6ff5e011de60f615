"""What a link may reach: no other program, no file of this machine, nothing behind a redirect."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from corpus import addresses
from corpus.collect.base import AS_USUAL, EVERYTHING, Network
from corpus.collect.client import download, listed
from corpus.errors import MediaError
from tests.corpus.made import write_tone
from tests.servers.media import MediaSite, Visit

ALLOWED = Network(allow_local=True, retries=0, timeout=5)
SEGMENTS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n"
SAMPLES = f'{SEGMENTS}#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:5,\na.ts\n#EXT-X-ENDLIST\n'
LIVE = f"{SEGMENTS}#EXTINF:5,\na.ts\n"
PLAYER = "<html><title>t</title><video><source src='rtmp://127.0.0.1:9/x/y'></video></html>"
LIST = "application/vnd.apple.mpegurl"


def fetch(url: str, folder: Path, network: Network) -> None:
    folder.mkdir(exist_ok=True)
    download(url, folder, network, judge=lambda _: "")


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [("/a.m3u8", SAMPLES, LIST), ("/a.m3u8", LIVE, LIST), ("/a", PLAYER, "text/html")],
    ids=["samples", "live", "rtmp"],
)
def test_no_program_fetches(
    web: MediaSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, text: str, kind: str
) -> None:
    """FFmpeg would connect to wherever the list leads: nobody would look at the address."""
    url = web.page(path, lambda visit: visit.say(200, text.encode(), kind))
    web.file("/a.ts", b"G" * 188, "video/mp2t")
    started: list[object] = []

    def start(_: object, command: object, *__: Any, **___: Any) -> None:
        started.append(command)
        raise OSError("nothing is to be started")

    monkeypatch.setattr(subprocess.Popen, "__init__", start)
    with pytest.raises(MediaError, match="which only another program would fetch"):
        fetch(url, tmp_path / "fetched", ALLOWED)
    assert started == []


def test_a_list_of_segments_is_fetched_all_the_same(web: MediaSite, tmp_path: Path) -> None:
    data = write_tone(tmp_path / "a.wav").read_bytes()
    whole = f"{SEGMENTS}#EXTINF:5,\na.aac\n#EXT-X-ENDLIST\n"
    web.file("/a.aac", data, "audio/aac")
    url = web.page("/a.m3u8", lambda visit: visit.say(200, whole.encode(), LIST))
    fetch(url, tmp_path / "fetched", ALLOWED)
    (got,) = (tmp_path / "fetched").iterdir()
    assert got.read_bytes() == data


# ---- redirects and lists that lead to a private network


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, Any]]]:
    """A server that counts as one of the open internet, and its pages: (status, headers, body)."""
    pages: dict[str, Any] = {}

    class Far(Visit):
        def _answer(self) -> None:
            status, headers, body = pages[self.path]
            self.say(status, body, **headers)

    server = ThreadingHTTPServer(("127.0.0.2", 0), Far)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    real = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda at: at == "127.0.0.2" or real(at))
    yield f"http://127.0.0.2:{server.server_port}", pages
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_private_network(
    web: MediaSite, far: tuple[str, dict[str, Any]], tmp_path: Path, status: int
) -> None:
    url, pages = far
    web.file("/a.ogg", b"x")
    pages["/a"] = (status, {"Location": f"{web.url}/a.ogg"}, b"")
    with pytest.raises(MediaError, match=r"127\.0\.0\.1 is this machine or in a private network"):
        fetch(f"{url}/a", tmp_path / "fetched", AS_USUAL)
    assert web.asked.total() == 0


@pytest.mark.parametrize("way", ["file:///etc/hostname", "ftp://127.0.0.1:9/a", "data:text/html,x"])
def test_a_redirect_to_what_is_no_web(
    far: tuple[str, dict[str, Any]], tmp_path: Path, way: str
) -> None:
    url, pages = far
    pages["/a"] = (302, {"Location": way}, b"")
    with pytest.raises(MediaError, match="cannot be fetched"):
        fetch(f"{url}/a", tmp_path / "fetched", Network(retries=0, timeout=5))
    assert not list((tmp_path / "fetched").iterdir())


def test_a_list_that_leads_to_a_private_network(
    web: MediaSite, far: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    """Segments, keys and media behind a page that is public itself."""
    url, pages = far
    web.file("/secret", b"x")
    body = f"{SEGMENTS}#EXTINF:5,\n{web.url}/secret\n#EXT-X-ENDLIST\n".encode()
    pages["/a.m3u8"] = (200, {"kind": LIST}, body)
    page = f"<html><title>t</title><audio src='{web.url}/secret.mp3'></audio></html>"
    pages["/page"] = (200, {}, page.encode())
    for path in ("/a.m3u8", "/page"):
        with pytest.raises(MediaError):
            fetch(url + path, tmp_path / "fetched", Network(retries=0, timeout=5))
    assert web.asked.total() == 0


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "file://localhost/etc/passwd", "ftp://127.0.0.1:9/a", "http://["]
)
def test_links_that_are_none_of_the_web(link: str) -> None:
    with pytest.raises(MediaError, match="cannot be fetched"):
        listed(link, EVERYTHING, Network(retries=0, timeout=5))
