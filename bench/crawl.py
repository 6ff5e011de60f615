"""How fast a site is crawled, and that a crawl which is killed loses and repeats nothing.

    python bench/crawl.py [PAGES]

A server in a process of its own has so many pages of letras (2,000), of a few kilobytes each,
and counts who asks for what.  First all of them are crawled with the throttle off.  Then they
are crawled into another corpus, and the command is killed (SIGKILL) five times on the way:
what was on disk at a kill must not be asked for again, and nothing may be missing at the end.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

from corpus.lyrics.web.pages import PageStore
from corpus.workspace import Workspace

N_KILLS = 5


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who is killed hangs up: no news."""


def serve(n_pages: int, told: Connection) -> None:
    """The site; /count gives how often each address was asked for, and begins to count anew."""
    asked: Counter[str] = Counter()
    copla = "<br>".join(f"ya no quiero más relojes, que dan la hora {i}" for i in range(4))
    links = "".join(f"<li><a href='/letra/{i}'>letra {i}</a>" for i in range(n_pages))

    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self._page().encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _page(self) -> str:
            if self.path == "/count":
                counts = json.dumps(asked)
                asked.clear()
                return counts
            asked[self.path] += 1
            if self.path == "/robots.txt":
                return ""
            if self.path == "/":
                return f"<ul>{links}</ul>"
            menu = "<p>menú</p>" * 200
            return f"<h1>Cante</h1>{menu}<div class='letra'>{copla} {self.path}</div>{menu}"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Site)
    told.send(server.server_port)
    server.serve_forever()


def corpus_for(folder: Path, url: str) -> list[str]:
    """A corpus in a folder, and the command that crawls the site into it."""
    Workspace.create(folder).store.close()
    site = folder / "bench.toml"
    site.write_text(
        f'name = "bench"\nstart = ["{url}/"]\nlinks.pages = ["/letra/"]\nread.verses = ".letra"\n',
        "utf-8",
    )
    command = [sys.executable, "-m", "corpus", "-w", str(folder), "lyrics", str(site)]
    return [*command, "--allow-local", "--delay", "0"]


def counted(url: str) -> Counter[str]:
    """How often each address was asked for since the last time."""
    with urllib.request.urlopen(f"{url}/count", timeout=10) as answer:  # noqa: S310  # our own
        return Counter(json.load(answer))


def check(*, right: bool, wrong: str) -> None:
    """End with a word where something is not right."""
    if not right:
        sys.exit(f"wrong: {wrong}")


def n_verses(folder: Path) -> int:
    """How many verses a corpus has."""
    workspace = Workspace.open(folder)
    n_found = len(workspace.store.verses())
    workspace.store.close()
    return n_found


def straight(folder: Path, url: str, n_pages: int) -> None:
    """All pages in one go."""
    command = corpus_for(folder, url)
    for what in ("fetched and read", "asked again, all stored"):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds = time.perf_counter() - begun
        asked = counted(url)
        pages = sum(n for path, n in asked.items() if path.startswith("/letra/"))
        print(f"{what}: {seconds:.1f} s, {n_pages / seconds:.0f} pages/s, {pages} asked for")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")
    check(right=n_verses(folder) == n_pages, wrong="not every page became a verse")


def killed(folder: Path, url: str, n_pages: int) -> None:
    """With kills on the way."""
    command = corpus_for(folder, url)
    store = PageStore(folder / "lyrics" / "bench")
    addresses = {f"/letra/{i}" for i in range(n_pages)}
    before: set[str] = set()
    n_again = 0
    for kill in range(1, N_KILLS + 1):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while n_files(store) < kill * n_pages // (N_KILLS + 1):
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        running.wait()
        stored = {path for path in addresses if store.load(url + path)}
        asked = counted(url)
        n_again += sum(asked[path] for path in before)
        print(f"kill {kill}: {len(stored)} pages on disk, {asked.total()} requests since the last")
        before = stored
    subprocess.run(command, check=True, capture_output=True)
    asked = counted(url)
    n_again += sum(asked[path] for path in before)
    missing = addresses - {path for path in addresses if store.load(url + path)}
    print(f"at the end: {len(missing)} pages missing, {n_again} asked for again though on disk")
    check(right=not missing and not n_again, wrong="pages were lost or repeated")
    check(right=n_verses(folder) == n_pages, wrong="not every page became a verse")


def n_files(store: PageStore) -> int:
    """How many pages are on disk whole."""
    return sum(1 for path in store.folder.glob("*.page") if not path.name.startswith("."))


def main() -> None:
    """Run both, and print what came out."""
    n_pages = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(n_pages, there), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}"
    with tempfile.TemporaryDirectory() as folder:
        straight(Path(folder, "straight"), url, n_pages)
        killed(Path(folder, "killed"), url, n_pages)
    server.terminate()


if __name__ == "__main__":
    main()
