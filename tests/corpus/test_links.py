"""Links: real yt-dlp against a real server on this machine."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError, UserNotLive

from corpus.collect.base import AS_USUAL, EVERYTHING, Wanted
from corpus.collect.client import _Client, archive_id
from corpus.collect.web import collector, why_not
from corpus.workspace import Workspace
from tests.conftest import Cli, Ran
from tests.corpus.made import ffmpeg, write_tone
from tests.servers.media import MediaSite

HERE = "--allow-local"


def made_ogg(folder: Path, hertz: float = 440.0, seconds: float = 1.0) -> bytes:
    tags = ["-metadata", "artist=La Niña", "-metadata", "title=Tientos"]
    ffmpeg("-i", write_tone(folder / "a.wav", seconds, hertz), *tags, folder / "a.ogg")
    return (folder / "a.ogg").read_bytes()


@pytest.fixture
def ogg(tmp_path: Path) -> bytes:
    return made_ogg(tmp_path)


def told(ran: Ran) -> list[str]:
    assert "unexpected" not in ran.err
    assert "\x1b" not in ran.err
    return ran.err.splitlines()


def test_a_link(cli: Cli, workspace: Workspace, web: MediaSite, ogg: bytes) -> None:
    url = web.file("/cante/tientos.ogg", ogg)
    ran = cli("collect", url, HERE)
    assert (ran.code, ran.err, ran.out) == (0, "collect: 1 done\n", "")
    (found,) = workspace.store.recordings()
    assert (found.source, found.artist, found.suffix) == (url, "La Niña", ".ogg")
    assert found.title == "Tientos"  # as its tags have it, and not its address
    assert dict(found.extra)["webpage_url"] == url
    assert workspace.media.original(found.id, ".ogg").read_bytes() == ogg
    before = web.asked.total()
    assert cli("collect", url, HERE).err == "collect: 0 done, 1 up to date\n"
    assert web.asked.total() == before
    assert not list((workspace.media.root / "incoming").iterdir())


def test_a_link_in_a_table_which_wins(
    cli: Cli, workspace: Workspace, web: MediaSite, ogg: bytes, tmp_path: Path
) -> None:
    row = web.file("/row.ogg", ogg)
    (tmp_path / "t.toml").write_text(
        f'[[recording]]\nsong = "Soleá"\nlink = "{row}"\nyear = 1958\nsello = "Hispavox"\n', "utf-8"
    )
    assert cli("collect", tmp_path / "t.toml", HERE).code == 0
    (found,) = workspace.store.recordings()
    assert (found.title, found.artist, found.year) == ("Soleá", "La Niña", 1958)
    assert dict(found.extra)["sello"] == "Hispavox"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[recording]\n", "cannot be read"),
        ('title = "a"\n', "has no rows"),
        ('recording = "a"\n', "has no rows"),
        ("[[recording]]\nlink = []\n", "recording 1: 'link' is no text"),
    ],
)
def test_a_table_in_toml_that_is_none(cli: Cli, tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "t.toml").write_text(text, "utf-8")
    ran = cli("collect", tmp_path / "t.toml")
    assert ran.code == 1
    assert reason in ran.err


def refused() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/a.ogg"


def test_links_that_lead_nowhere(cli: Cli, workspace: Workspace, web: MediaSite) -> None:
    page = web.html("/page", "<html><body>no audio here</body></html>")
    text = web.file("/text.ogg", b"this is no audio")
    gone = f"{web.url}/nothing.ogg"
    links = [gone, refused(), page, text, "file:///etc/passwd", "nosuch://host/a"]
    ran = cli("collect", *links, HERE, "--retries", "0")
    assert ran.code == 1
    lines = told(ran)
    assert len(lines) == 7
    by_link = {link: line for link in links for line in lines if link in line}
    assert "404" in by_link[gone]
    assert "refused" in by_link[links[1]]
    assert "Unsupported URL" in by_link[page]
    assert "no audio that FFmpeg can read" in by_link[text]
    assert workspace.store.recordings() == ()


def test_links_to_this_machine_are_refused(cli: Cli, web: MediaSite, ogg: bytes) -> None:
    url = web.file("/a.ogg", ogg)
    by_name = url.replace("127.0.0.1", "localhost")
    ran = cli("collect", url, by_name, "http://[::1]:9/a.ogg", "http://0x7f000001:9/a.ogg")
    assert ran.code == 1
    lines = told(ran)
    assert len(lines) == 5
    assert all("in a private network: allow it with --allow-local" in line for line in lines[:4])
    assert web.asked.total() == 0


# ---- the ways of the web


def test_a_redirect(cli: Cli, workspace: Workspace, web: MediaSite, ogg: bytes) -> None:
    there = web.file("/there.ogg", ogg)
    url = web.page("/here", lambda visit: visit.say(302, Location=there))
    assert cli("collect", url, HERE).code == 0
    assert workspace.store.recordings()[0].source == url


def test_too_many_requests_are_tried_again_when_the_site_says(
    cli: Cli, web: MediaSite, ogg: bytes
) -> None:
    url = web.busy("/a.ogg", ogg, times=2)
    began = time.monotonic()
    assert cli("collect", url, HERE).code == 0
    assert time.monotonic() - began >= 2


def test_a_site_that_is_always_busy(cli: Cli, web: MediaSite, ogg: bytes) -> None:
    url = web.busy("/a.ogg", ogg, times=1000, wait="0")
    ran = cli("collect", url, HERE, "--retries", "2")
    assert (ran.code, "429" in told(ran)[0]) == (1, True)


def test_a_connection_that_is_cut_goes_on_where_it_was(
    cli: Cli, workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    data = write_tone(tmp_path / "long.wav", 40.0).read_bytes()
    url = web.cut("/a.wav", data, at=700_000)
    assert cli("collect", url, HERE).code == 0
    (found,) = workspace.store.recordings()
    assert workspace.media.original(found.id, ".wav").read_bytes() == data
    assert any(re.match(r"bytes=[1-9]", wanted) for wanted in web.ranges["/a.wav"])


def test_a_transfer_that_stalls_is_begun_again(
    cli: Cli, workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    data = write_tone(tmp_path / "long.wav", 20.0).read_bytes()
    url = web.stalled("/a.wav", data)
    assert cli("collect", url, HERE, "--timeout", "1").code == 0
    (found,) = workspace.store.recordings()
    assert workspace.media.original(found.id, ".wav").read_bytes() == data


def test_a_page_without_end_is_not_read_to_its_end(cli: Cli, web: MediaSite) -> None:
    ran = cli("collect", web.endless("/page"), HERE, "--retries", "0")
    assert ran.code == 1
    assert "longer than 32 MB" in told(ran)[0]


def test_killed_while_it_fetches_the_same_command_carries_on(
    workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    data = write_tone(tmp_path / "long.wav", 60.0).read_bytes()
    url = web.file("/a.wav", data)
    command = [sys.executable, "-m", "corpus", "collect", url, HERE]
    slow = subprocess.Popen([*command, "--rate", "200"], cwd=workspace.root)
    incoming = workspace.media.root / "incoming"
    for _ in range(600):
        parts = list(incoming.rglob("*.part"))
        if parts and parts[0].stat().st_size > 200_000:
            break
        time.sleep(0.05)
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    assert subprocess.run(command, cwd=workspace.root, check=False).returncode == 0
    (found,) = workspace.store.recordings()
    assert workspace.media.original(found.id, ".wav").read_bytes() == data
    assert any(wanted.startswith("bytes=") for wanted in web.ranges["/a.wav"])
    assert not list(incoming.iterdir())


# ---- lists


@pytest.fixture
def feed(web: MediaSite, tmp_path: Path) -> str:
    """Three recordings, one of them twice."""
    items = ""
    for i, name in enumerate(["Soleá de Alcalá", "Bulerías", "Tientos", "Bulerías"]):
        link = web.file(f"/{name[:4]}.ogg", made_ogg(tmp_path, 300.0 + 50 * (i % 3)))
        items += f"<item><title>{name}</title><link>{link}</link></item>"
    head = '<?xml version="1.0"?><rss version="2.0"><channel><title>Cantes</title>'
    return web.page(
        "/feed.rss",
        lambda visit: visit.say(
            200, f"{head}{items}</channel></rss>".encode(), "application/rss+xml"
        ),
    )


def test_a_list_behind_a_link(cli: Cli, workspace: Workspace, feed: str) -> None:
    assert cli("collect", feed, HERE).err == "collect: 3 done\n"
    assert len(workspace.store.recordings()) == 3
    assert cli("collect", feed, HERE).err == "collect: 0 done, 3 up to date\n"


@pytest.mark.parametrize(
    ("option", "n_taken"),
    [(["--limit", "2"], 2), (["--match", "sole|tien"], 2), (["--match", "nada"], 0)],
)
def test_what_is_wanted_of_a_list(
    cli: Cli, workspace: Workspace, feed: str, option: list[str], n_taken: int
) -> None:
    assert cli("collect", feed, HERE, *option).code == 0
    assert len(workspace.store.recordings()) == n_taken


def test_several_recordings_in_one_page(
    cli: Cli, workspace: Workspace, web: MediaSite, tmp_path: Path
) -> None:
    links = [web.file(f"/{k}.ogg", made_ogg(tmp_path, 300.0 + 50 * k)) for k in range(2)]
    body = "".join(f'<audio src="{link}"></audio>' for link in links)
    page = web.html("/page", f"<html><title>Cantes</title><body>{body}</body></html>")
    assert cli("collect", page, HERE).err == "collect: 2 done\n"
    assert {one.source for one in workspace.store.recordings()} == {page}
    assert cli("collect", page, HERE).err == "collect: 0 done, 2 up to date\n"


def test_a_recording_that_is_too_long_is_passed_over_and_not_forgotten(
    cli: Cli, web: MediaSite, ogg: bytes
) -> None:
    url = web.html(
        "/page", f'<html><body><audio src="{web.file("/a.ogg", ogg)}"></audio></body></html>'
    )
    ran = cli("collect", url, HERE, "--match", "nothing of it")
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "collect: 0 done, 1 passed over")
    assert cli("collect", url, HERE).err == "collect: 1 done\n"


@pytest.mark.parametrize(
    ("info", "wanted", "reason"),
    [
        ({"duration": 36000}, Wanted(max_duration=600), "lasts 36000 s"),
        ({"duration": 60}, Wanted(max_duration=600), ""),
        ({"upload_date": "20190101"}, Wanted(since="20200101"), "before --since"),
        ({"upload_date": "20210101"}, Wanted(since="20200101"), ""),
        ({"title": "Soleá"}, Wanted(match="^sole"), ""),
        ({"title": "Soleá"}, Wanted(match="tango"), "does not match"),
        ({"is_live": True}, EVERYTHING, "a live stream"),
        ({"live_status": "is_upcoming"}, EVERYTHING, "has not begun"),
        ({}, Wanted(since="20200101", match="x", max_duration=1.0), ""),
    ],
)
def test_why_a_recording_is_not_wanted(
    info: dict[str, object], wanted: Wanted, reason: str
) -> None:
    found = why_not(info, wanted)
    assert bool(found) == bool(reason)
    assert reason in found


class Archive(InfoExtractor):  # type: ignore[misc]  # yt-dlp has no types
    """A site that gives nothing, for the reason in the link, in the words of yt-dlp's own sites."""

    _VALID_URL = r"https://archive\.invalid/(?P<id>\w+)"

    def _real_extract(self, url: str) -> dict[str, object]:
        why = self._match_id(url)
        if why == "private":
            self.raise_login_required("Private video. Sign in if you've been granted access")
        if why == "removed":
            raise ExtractorError("Video unavailable. It was removed by the uploader", expected=True)
        if why == "blocked":
            self.raise_geo_restricted("The uploader has not made it available", countries=["ES"])
        if why == "adults":
            self.raise_login_required("Sign in to confirm your age", method="cookies")
        if why == "silent":
            self.raise_no_formats("No video formats found", expected=True)
        if why == "later":
            raise UserNotLive(video_id=why)
        made = {"id": why, "title": "Soleá", "ext": "ogg", "duration": 36_000.0}
        return made | {"url": f"{url}.ogg", "is_live": why == "live"}


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("private", "Private video"),
        ("removed", "removed by the uploader"),
        ("blocked", "has not made it available"),
        ("adults", "confirm your age"),
        ("silent", "No video formats found"),
        ("later", "not currently live"),
        ("live", "a live stream"),
        ("long", "lasts 36000 s"),
    ],
)
def test_what_a_site_does_not_give_is_a_line_and_the_rest_comes(
    cli: Cli,
    workspace: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
    says: str,
) -> None:
    monkeypatch.setattr(
        _Client, "add_default_info_extractors", lambda it: it.add_info_extractor(Archive())
    )
    # What can be had, and is not wanted as it is, is no failure.
    n_failed = 0 if why in {"live", "long"} else 1
    tape = write_tone(tmp_path / "tape.wav")
    link = f"https://archive.invalid/{why}"
    ran = cli("collect", link, str(tape), "--max-duration", "3600")
    lines = told(ran)
    assert ran.code == n_failed
    assert sum(says in line and link in line for line in lines) == 1
    assert len(workspace.store.recordings()) == 1
    assert len(workspace.store.funnel().failed) == n_failed


@pytest.mark.parametrize(
    ("source", "accepted"),
    [
        ("https://example.org/a", True),
        ("ytsearch20:soleá de alcalá", True),
        ("ytsearchall:soleá", True),
        ("scsearch5:x", True),
        ("ytsearch:", False),
        ("cante: en vivo.mp3", False),
        ("/a/b.mp3", False),
    ],
)
def test_links_and_searches(source: str, accepted: bool) -> None:
    assert collector.accepts(source) is accepted


def test_a_direct_link_is_not_asked_for_before_it_is_fetched() -> None:
    (found,) = collector.find("https://nowhere.invalid/a.mp3", EVERYTHING, AS_USUAL)
    assert found.location == "https://nowhere.invalid/a.mp3"


def test_a_name_for_good() -> None:
    assert archive_id({"extractor_key": "Youtube", "id": "abc"}) == "youtube abc"
    assert archive_id({"extractor_key": "Generic", "id": "audio"}) == ""
    assert archive_id({"extractor_key": "Youtube"}) == ""


def test_what_is_here_by_another_link_is_not_fetched(
    cli: Cli, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, web: MediaSite, ogg: bytes
) -> None:
    monkeypatch.setattr("corpus.collect.client.archive_id", lambda _: "site 1")
    assert cli("collect", web.file("/a.ogg", ogg), HERE).code == 0
    ran = cli("collect", web.file("/b.ogg", ogg), HERE)
    assert ran.code == 0
    assert f"not fetched: it is here already, from {web.url}/a.ogg" in ran.err
    assert web.ranges["/b.ogg"].count("") == web.asked["/b.ogg"] <= 1
    assert len(workspace.store.recordings()) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--match", "("], "--match is no regular expression"),
        (["--rights", "mine"], "'mine' is none of public-domain"),
        (["--cookies", "none.txt"], "there is no file none.txt"),
    ],
)
def test_options_that_cannot_be(cli: Cli, arguments: list[str], reason: str) -> None:
    ran = cli("collect", "x.wav", *arguments)
    assert ran.code == 2
    assert reason in ran.err


def test_rights_of_what_comes_without_any(
    cli: Cli, workspace: Workspace, web: MediaSite, ogg: bytes
) -> None:
    assert cli("collect", web.file("/a.ogg", ogg), HERE, "--rights", "CC BY-NC 4.0").code == 0
    assert workspace.store.recordings()[0].rights == "cc-by-nc-4.0"
