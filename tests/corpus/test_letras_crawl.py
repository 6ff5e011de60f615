"""Sites are asked for real, on this machine: manners, what goes wrong, going on after a kill."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address

from corpus.lyrics.web.base import Page
from corpus.lyrics.web.manners import OnlyPublic
from corpus.lyrics.web.pages import PageStore
from corpus.workspace import Workspace
from tests.corpus.crawling import OWN, told
from tests.servers import letras as made
from tests.servers.letras import corpus, letra, rules
from tests.servers.media import MediaSite


def titles(workspace: Workspace) -> set[str]:
    return {place.title for verse in workspace.store.verses() for place in verse.sources}


# ---- a site


def test_what_goes_wrong_is_a_line_each_and_the_rest_comes(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    words = "ay pena penita\nque no se me quita"
    good = {f"/letra/{i}": letra(f"Cante {i}", f"{words} {i}") for i in range(3)}
    odd = {
        "moved": made.moved(web, "/letra/moved", "/letra/0"),
        "away": made.moved(web, "/letra/away", "http://otra.example/letra/1"),
        "round": made.moved(web, "/letra/round", "/letra/round?again=1"),
        "far": made.moved(web, "/letra/far", "/letra/far/1"),
        "none": web.url + "/letra/none",
        "busy": made.busy(web, "/letra/busy", letra("Con paciencia", words), 2),
        "cut": made.cut(web, "/letra/cut", letra("Cortada", words), 2),
        "torn": made.cut(web, "/letra/torn", letra("Rota", words), 99),
        "stalled": made.stalled(web, "/letra/stalled"),
        "bomb": made.bomb(web, "/letra/bomb"),
        "endless": web.endless("/letra/endless"),
        "error": web.html("/letra/error", "<h1>Error de la base de datos</h1>"),
        "picture": web.file("/letra/picture", b"\x89PNG\r\n\0\0\0", "image/png"),
        "forbidden": web.html("/letra/forbidden", letra("Prohibida", words)),
    }
    accents = "<meta charset=utf-8>" + letra("Soleá del niño", "niño de mi corazón")
    odd["latin"] = web.file("/letra/latin", accents.encode("latin-1"), "text/html; charset=utf-8")
    odd["utf8"] = web.file(
        "/letra/utf8", accents.replace("Soleá", "Caña").encode(), "text/html; charset=latin-1"
    )
    made.letras(web, good, *odd.values())
    made.robots(web, "/letra/forbidden")
    for i in range(1, 9):
        made.moved(web, f"/letra/far/{i}", f"/letra/far/{i + 1}")

    ran = corpus(workspace.root, "lyrics", rules(tmp_path, web), *OWN, "--timeout", "1")
    *failed, count, notice = told(ran)
    assert (ran.code, count) == (
        1,
        "lyrics: 7 done, 10 failed (`corpus status` keeps the reasons)",
    )
    assert notice == (
        "lyrics: mine: 1 passed over (robots.txt forbids it, or cannot be had),"
        f" such as {odd['forbidden']}"
    )
    reasons = dict(line.removeprefix("lyrics: ").split(": ", maxsplit=1) for line in failed)
    assert reasons == {
        "http://otra.example/letra/1": "it leads to another site, otra.example",
        odd["round"]: "it is redirected in a circle, or too often",
        odd["far"]: "it is redirected in a circle, or too often",
        odd["none"]: "the site answers 404 Not Found",
        odd["torn"]: "the connection was cut before the page was whole",
        odd["stalled"]: "no whole answer within 1 s",
        odd["bomb"]: "the page is longer than 16 MB when it is unpacked",
        odd["endless"]: "the page is longer than 16 MB",
        odd["error"]: "no letra found on the page",
        odd["picture"]: "the page is no text",
    }
    cantes = {f"Cante {i}" for i in range(3)}
    assert titles(workspace) == cantes | {
        "Con paciencia",
        "Cortada",
        "Soleá del niño",
        "Caña del niño",
    }
    assert ("niño de mi corazón",) in {verse.lines for verse in workspace.store.verses()}
    assert web.asked["/letra/forbidden"] == 0
    assert web.asked["/letra/busy"] == 3
    # An attempt over a connection that is gone by then does not reach the server.
    assert web.asked["/letra/cut"] == 3
    assert 2 <= web.asked["/letra/torn"] <= 4
    kept = sum(file.stat().st_size for file in (workspace.root / "lyrics").rglob("*"))
    assert kept < 1 << 20


def test_nothing_is_fetched_twice_and_rules_are_read_anew(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    pages = {f"/letra/{i}": letra(f"Cante {i}", f"ay pena {i}", "ay") for i in range(5)}
    made.letras(web, pages, made.moved(web, "/letra/moved", "/letra/4"))
    site = rules(tmp_path, web)
    ran = corpus(workspace.root, "lyrics", site, *OWN, "--limit", "2")
    assert (ran.code, ran.err) == (0, "lyrics: 2 done\n")
    assert corpus(workspace.root, "lyrics", site, *OWN).err == "lyrics: 3 done, 2 up to date\n"
    once = {"/": 1, "/letra/moved": 1, "/robots.txt": 2} | dict.fromkeys(pages, 1)
    assert web.asked == once
    assert len({verse.lines for verse in workspace.store.verses()}) == 6

    web.pages.clear()
    ran = corpus(workspace.root, "lyrics", site, "--offline")
    assert (ran.code, ran.err) == (0, "lyrics: 0 done, 5 up to date\n")
    site.write_text(site.read_text("utf-8").replace('"h1"', '"h2"'), "utf-8")
    ran = corpus(workspace.root, "lyrics", site, "--offline")
    assert (ran.code, ran.err) == (0, "lyrics: 5 done\n")
    assert web.asked == once

    ran = corpus(workspace.root, "lyrics", site, *OWN, "--max-age", "0")
    assert ran.code == 1
    assert "/: the site answers 404 Not Found" in ran.err


def test_what_is_not_stored_is_told(workspace: Workspace, web: MediaSite, tmp_path: Path) -> None:
    made.letras(web, {"/letra/1": letra("Cante", "ay pena")}, "/letra/2")
    missing = f"{web.url}/letra/2"
    site = rules(tmp_path, web)
    ran = corpus(workspace.root, "lyrics", site, "--offline")
    assert ran.code == 1
    assert told(ran)[0].endswith("/: it is not stored: run without --offline")
    assert corpus(workspace.root, "lyrics", site, *OWN).code == 1
    ran = corpus(workspace.root, "lyrics", site, "--offline")
    assert told(ran) == [
        "lyrics: 0 done, 1 up to date",
        f"lyrics: mine: 1 passed over (it is not stored: run without --offline), such as {missing}",
    ]
    # The address that failed first and came later is no failure any more.
    failed = workspace.store.done("lyrics")
    assert [key for key, done in failed.items() if done.state == "failed"] == [f"{web.url}/letra/2"]


def test_a_site_that_wants_to_be_left_alone(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    pages = {f"/letra/{i}": letra("Cante", f"ay {i}") for i in range(40)}
    made.letras(web, {"/letra/a": "", "/letra/b": "", **pages})
    made.busy(web, "/letra/a", letra("Cante", "ay pena"), 1, wait="1")
    made.busy(web, "/letra/b", "", 99, wait="3600")
    ran = corpus(workspace.root, "lyrics", rules(tmp_path, web), *OWN)
    assert ran.code == 1
    asks, _, notice = told(ran)
    assert asks.endswith("429 Unknown Status; the site asks to come again in 3600 s")
    assert "passed over (the site asked to be left alone for long), such as" in notice
    assert web.asked["/letra/b"] == 1
    assert len(web.asked) < 20


@pytest.mark.parametrize("broken", [False, True])
def test_a_site_that_wants_nobody(
    workspace: Workspace, web: MediaSite, tmp_path: Path, broken: bool
) -> None:
    made.letras(web, {})
    made.robots(web, "/")
    if broken:
        web.page("/robots.txt", lambda visit: visit.say(500))
    ran = corpus(workspace.root, "lyrics", rules(tmp_path, web), *OWN)
    assert ran.code == 1
    assert told(ran)[0].endswith("/: robots.txt forbids it, or cannot be had")
    assert set(web.asked) == {"/robots.txt"}


def test_this_machine_is_not_asked_unless_it_is_allowed(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    ran = corpus(workspace.root, "lyrics", rules(tmp_path, web))
    assert ran.code == 1
    assert "127.0.0.1 is this machine or in a private network" in told(ran)[0]
    assert not web.asked


def test_a_proxy_may_be_here(workspace: Workspace, web: MediaSite, tmp_path: Path) -> None:
    far = "http://letras.invalid"
    web.html(f"{far}/", "<a href='/letra/1'>letra</a>")
    web.html(f"{far}/letra/1", letra("Lejana", "ay pena"))
    site = rules(tmp_path, web)
    site.write_text(site.read_text("utf-8").replace(web.url, far), "utf-8")
    ran = corpus(workspace.root, "lyrics", site, "--delay", "0.5", proxy=web.url)
    assert (ran.code, ran.err) == (0, "lyrics: 1 done\n")
    assert titles(workspace) == {"Lejana"}

    ran = corpus(workspace.root, "lyrics", site, "--delay", "0.5", "--max-age", "0")
    assert told(ran)[0] == f"lyrics: {far}/: there is no such host"


class _Heard:
    """Hears which addresses a name has."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def resolutionBegan(self, _: object) -> None:  # noqa: N802  # Twisted's names
        self.addresses.append("begun")

    def addressResolved(self, address: IPv4Address) -> None:  # noqa: N802
        self.addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        self.addresses.append("complete")


class _Names:
    """A name that has an address of this machine beside one of the open internet."""

    def resolveHostName(self, receiver: Any, *_: object) -> None:  # noqa: N802
        receiver.resolutionBegan(None)
        for host in ("127.0.0.1", "93.184.216.34", "::1"):
            receiver.addressResolved(IPv4Address("TCP", host, 80))
        receiver.resolutionComplete()


def test_a_name_that_changes_its_mind_leads_nowhere_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    heard = {name: _Heard() for name in ("a.example", "proxy.example")}
    for name, receiver in heard.items():
        OnlyPublic(_Names()).resolveHostName(receiver, name, portNumber=80)
    assert heard["a.example"].addresses == ["begun", "93.184.216.34", "complete"]
    assert len(heard["proxy.example"].addresses) == 5


def test_who_asks_and_how_fast(workspace: Workspace, web: MediaSite, tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []

    def answer(visit: Any) -> None:
        seen.append((time.monotonic(), visit.headers["User-Agent"]))
        visit.say(200, letra("Cante", f"ay {visit.path}").encode())

    made.letras(web, {f"/letra/{i}": "" for i in range(3)})
    for i in range(3):
        web.page(f"/letra/{i}", answer)
    options = ("--allow-local", "--delay", "0.4", "--contact", "a@b.example\n")
    ran = corpus(workspace.root, "lyrics", rules(tmp_path, web), *options)
    assert (ran.code, ran.err) == (0, "lyrics: 3 done\n")
    times = [at for at, _ in seen]
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert all(gap > 0.18 for gap in gaps)  # 0.4 s, give or take a half, as Scrapy spreads it
    assert {agent.partition("/")[0] for _, agent in seen} == {"cante-corpus"}
    assert all(agent.endswith(" (a@b.example)") for _, agent in seen)


# ---- going on


def test_a_crawl_that_is_killed_goes_on(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    pages = {f"/letra/{i}": letra(f"Cante {i}", f"ay pena {i}") for i in range(60)}
    made.letras(web, pages)
    arguments = ["-w", str(workspace.root), "lyrics", str(rules(tmp_path, web)), *OWN]
    stored = PageStore(workspace.root / "lyrics" / "mine")
    addresses = [f"{web.url}{path}" for path in ("/", *pages)]
    for n_pages in (5, 30):
        running = subprocess.Popen([sys.executable, "-m", "corpus", *arguments])
        deadline = time.monotonic() + 30
        while (
            sum(stored.path(url).exists() for url in addresses) < n_pages
            and time.monotonic() < deadline
        ):
            time.sleep(0.002)
        running.send_signal(signal.SIGKILL)
        running.wait()
    before = {url for url in addresses if stored.load(url)}
    assert 30 <= len(before) < 61
    answered = web.asked.copy()
    ran = corpus(workspace.root, *arguments[2:])
    assert (ran.code, told(ran)) == (0, ["lyrics: 60 done"])
    assert titles(workspace) == {f"Cante {i}" for i in range(60)}
    asked_again = {f"{web.url}{path}" for path in web.asked - answered} - {f"{web.url}/robots.txt"}
    assert asked_again == set(addresses) - before


def test_what_a_kill_left_half_written_goes_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / ".part-old.page", tmp_path / ".part-young.page"
    for path in (old, young):
        path.write_bytes(b"{")
    os.utime(old, (0, 0))
    PageStore(tmp_path).tidy()
    assert [path.name for path in tmp_path.iterdir()] == [young.name]


def test_a_crawl_that_is_interrupted_ends(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    made.letras(web, {})
    made.stalled(web, "/")
    site = str(rules(tmp_path, web))
    command = [sys.executable, "-m", "corpus", "-w", str(workspace.root), "lyrics", site]
    # A shell lets what it runs in the background ignore interrupts, and so would our child.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen([*command, *OWN], stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with running:
        deadline = time.monotonic() + 30
        while not web.asked["/"] and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Traceback" not in err


def test_half_a_page_is_none(tmp_path: Path) -> None:
    store = PageStore(tmp_path / "a")
    page = Page(url="http://a.example/ñ", status=200, body=b"uno\n\ndos\r\n\0")
    store.save(page, location="/b")
    kept = store.load(page.url)
    assert kept is not None
    assert (kept.page, kept.location) == (page, "/b")
    assert abs(kept.at - time.time()) < 60
    assert store.load("http://a.example/") is None
    for torn in (b"", b"{", b"{}\n\nuno", b'{"url": "a", "status": "x"}\n\n'):
        store.path(page.url).write_bytes(torn)
        assert store.load(page.url) is None
