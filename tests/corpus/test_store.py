from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import corpus
from corpus import tables
from corpus.database import HEAD
from corpus.errors import StoreError
from corpus.records import (
    PERSON,
    Annotation,
    Decision,
    Draft,
    Match,
    MatchedVerse,
    Release,
    ReleasedUtterance,
    Segment,
    Tier,
    Utterance,
    Verdict,
    Word,
)
from corpus.rows import AlignedRecording, Done, Record
from corpus.store import Store
from tests.corpus.made import recording, utterance, verse

CINTA = recording("cinta", artist="La Niña")
COPLA = verse("Por la calle abajo", "va la que yo quiero", source="letra", title="Tientos")
FIRST = utterance(CINTA, "por la calle\nabajo", 1.0)
SECOND = utterance(CINTA, "va la que yo quiero", 3.0)
MATCH = Match(
    recording=CINTA.id,
    verses=(MatchedVerse(verse=COPLA.id, score=0.9, reason="text 0.90", start=1.25),),
    decision=Decision.ACCEPTED,
)
DRAFT = Draft(
    recording=CINTA.id, model="base", segments=(Segment(text="po la caye", start=1.0, end=2.5),)
)
ALIGNED = AlignedRecording(recording=CINTA.id, utterances=(FIRST, SECOND))
RELEASE = Release(
    name="uno",
    made="2026-01-02T00:00:00+00:00",
    utterances=(ReleasedUtterance(utterance=FIRST.id, split="train"),),
)


def said(
    of: Utterance, made: str, *, verdict: Verdict = Verdict.CORRECTED, text: str = "ay"
) -> Annotation:
    words = tuple(
        Word(text=word, start=of.start + i / 10, end=of.start + i / 10 + 0.1)
        for i, word in enumerate(text.split())
    )
    return Annotation(
        utterance=of.id,
        annotator="ana",
        made=made,
        verdict=verdict,
        text=text,
        start=of.start,
        end=of.end,
        words=words,
    )


SAID = said(FIRST, "2026-01-01T00:00:00+00:00", text="por la calle")
EVERYTHING: tuple[Record, ...] = (CINTA, COPLA, DRAFT, MATCH, ALIGNED, SAID, RELEASE)


def save(store: Store, *records: Record) -> None:
    with store.transaction() as transaction:
        transaction.save(records)


def dump(store: Store) -> dict[str, list[str]]:
    """Every row of every table."""
    with sqlite3.connect(store._database._engine.url.database or "") as connection:
        found = {
            table.name: sorted(map(repr, connection.execute(f"SELECT * FROM {table.name}")))  # noqa: S608  # names of our tables
            for table in tables.metadata.sorted_tables
        }
    connection.close()
    return found


# ---- migrations


def alembic_config() -> Config:
    config = Config()
    folder = Path(corpus.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return config


def test_head_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_the_migrations_make_the_tables(store: Store) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_the_migrations_go_back(store: Store) -> None:
    config = alembic_config()
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    store._database.bring_up_to_date()
    save(store, *EVERYTHING)


def test_a_migration_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'corpus.db'}"
    with monkeypatch.context() as patch:
        # The last table of the migration cannot be made.
        patch.setattr("alembic.op.create_table", failing_at(len(tables.metadata.tables)))
        with pytest.raises(StoreError, match="power cut"):
            Store(url)
    store = Store(url)
    save(store, *EVERYTHING)
    store.close()


def test_what_is_saved_survives_migrations(store: Store) -> None:
    save(store, *EVERYTHING)
    config = alembic_config()
    with store._database.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    store._database.bring_up_to_date()
    assert store.utterances() == (SAID.applied_to(FIRST), SECOND)
    assert store.releases() == (RELEASE,)


def test_no_room_for_the_database(store: Store) -> None:
    with store._database.reading() as connection:
        n_pages = connection.scalar(sa.text("PRAGMA page_count"))
    many = [verse(f"verso {i}") for i in range(10_000)]
    with pytest.raises(StoreError, match=r"full: is there room left on the disk\?") as told:
        save_in_pages(store, n_pages, many)
    one_line(told)
    assert store.verses() == ()


def save_in_pages(store: Store, n_pages: int, records: Iterable[Record]) -> None:
    """Save while the database may not grow."""
    with store.transaction() as transaction:
        transaction._connection.execute(sa.text(f"PRAGMA max_page_count = {n_pages}"))
        transaction.save(records)


def failing_at(last: int) -> object:
    from alembic import op

    make, calls = op.create_table, []

    def create_table(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == last:
            raise sa.exc.OperationalError("CREATE", {}, Exception("power cut"))
        return make(*arguments, **options)  # type: ignore[arg-type]  # handed on as they came

    return create_table


# ---- what is saved is there, once


def test_records_come_back(store: Store) -> None:
    save(store, *EVERYTHING)
    assert store.recordings() == (CINTA,)
    assert store.recording(CINTA.id) == CINTA
    assert store.recording("0" * 64) is None
    assert store.verses() == (COPLA,)
    assert store.draft(CINTA.id) == DRAFT
    assert store.draft("0" * 64) is None
    assert store.matches() == (MATCH,)
    assert store.releases() == (RELEASE,)
    assert store.utterances() == (SAID.applied_to(FIRST), SECOND)
    assert store.utterances(CINTA.id) == store.utterances()
    assert store.utterances("0" * 64) == ()


def test_saving_twice_is_saving_once(store: Store) -> None:
    save(store, *EVERYTHING)
    once = dump(store)
    save(store, *EVERYTHING)
    save(store, *EVERYTHING, *EVERYTHING)
    assert dump(store) == once


def interrupted(saved: Iterable[Record]) -> Iterator[Record]:
    yield from saved
    raise ZeroDivisionError


def test_an_error_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as transaction:
        transaction.save(interrupted(EVERYTHING))
    assert not any(dump(store).values())


def test_what_refers_to_nothing_is_refused_whole(store: Store) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        save(store, COPLA, MATCH)
    assert store.verses() == ()


def test_the_first_spelling_of_a_verse_stands(store: Store) -> None:
    other = verse("por la calle ABAJO", "va la que yo quiero", source="otra", position=3)
    save(store, COPLA, other)
    save(store, replace(other, sources=(replace(other.sources[0], title="Tangos"),)))
    (found,) = store.verses()
    assert found.lines == COPLA.lines
    assert [(s.source, s.lines[0], s.title) for s in found.sources] == [
        ("letra", "Por la calle abajo", "Tientos"),
        ("otra", "por la calle ABAJO", "Tangos"),
    ]


def test_more_verses_than_one_statement_takes(store: Store) -> None:
    many = [verse(f"verso {i}", source=f"letra {i % 7}", position=i) for i in range(1000)]
    save(store, *many, *many)
    assert {v.id for v in store.verses()} == {v.id for v in many}


# ---- who speaks


def test_a_person_is_not_overwritten_by_the_machine(store: Store) -> None:
    theirs = replace(MATCH, decided_by=PERSON)
    machine = Match(recording=CINTA.id, verses=(), decision=Decision.NONE)
    save(store, CINTA, COPLA, machine)
    save(store, theirs)
    save(store, machine)
    assert store.matches() == (theirs,)
    save(store, replace(machine, decided_by=PERSON))
    assert store.matches()[0].decision is Decision.NONE


def test_the_newest_annotation_speaks(store: Store) -> None:
    early = said(FIRST, "2026-01-01T09:00:00+00:00", text="uno")
    late = said(FIRST, "2026-01-01T10:00:00+00:00", text="dos")
    save(store, CINTA, ALIGNED, late, early)
    spoken = store.utterances()[0]
    assert (spoken.text, spoken.tier) == ("dos", Tier.GOLD)
    assert dump(store)["annotations"] != []


def test_a_rejected_utterance_is_out(store: Store) -> None:
    out = said(FIRST, "2026-01-01T09:00:00+00:00", verdict=Verdict.REJECTED)
    save(store, CINTA, ALIGNED, out)
    assert store.utterances() == (SECOND,)
    save(store, said(FIRST, "2026-01-01T09:00:01+00:00", text="sí"))
    assert [u.text for u in store.utterances()] == ["sí", SECOND.text]


def test_a_new_alignment_takes_the_place_of_the_old(store: Store) -> None:
    save(store, CINTA, ALIGNED)
    moved = replace(SECOND, start=3.1)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(moved,)))
    assert store.utterances() == (moved,)
    save(store, AlignedRecording(recording=CINTA.id, utterances=()))
    assert store.utterances() == ()
    assert dump(store)["utterances"] == []


def test_what_a_person_said_stands_beside_no_alignment(store: Store) -> None:
    save(store, CINTA, ALIGNED, SAID)
    near = utterance(CINTA, "po la caye abajo", FIRST.start + 0.1)
    after = utterance(CINTA, "va la que yo quería", FIRST.end)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(near, after)))
    assert store.utterances() == (SAID.applied_to(FIRST), after)
    again = dump(store)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(near, after)))
    assert dump(store) == again


def test_what_a_person_rejected_may_be_aligned_anew(store: Store) -> None:
    out = said(FIRST, "2026-01-01T09:00:00+00:00", verdict=Verdict.REJECTED)
    save(store, CINTA, ALIGNED, out)
    better = utterance(CINTA, "por la calle", FIRST.start)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(FIRST, better)))
    assert store.utterances() == (better,)


def test_what_a_release_names_is_kept_out_of_sight(store: Store) -> None:
    save(store, CINTA, ALIGNED, RELEASE)
    moved = replace(FIRST, start=0.9)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(moved,)))
    assert store.utterances() == (moved,)
    assert store.releases() == (RELEASE,)
    assert (store.funnel().utterances, store.funnel().published) == (1, 1)
    save(store, ALIGNED)  # as it was: nothing is retired any more
    assert store.utterances() == (FIRST, SECOND)


# ---- the funnel


def test_an_empty_funnel(store: Store) -> None:
    funnel = store.funnel()
    assert (funnel.recordings, funnel.hours, funnel.verses, funnel.failed) == (0, 0, 0, ())


def test_the_funnel_counts(store: Store) -> None:
    other = recording("otra")
    review = replace(MATCH, recording=other.id, decision=Decision.REVIEW)
    save(store, *EVERYTHING, other, review)
    failed = Done(stage="align", item="x", inputs="", state="failed", note="no", at="")
    with store.transaction() as transaction:
        transaction.mark(failed)
        transaction.mark(replace(failed, item="y", state="done"))
    funnel = store.funnel()
    assert (funnel.recordings, funnel.verses, funnel.matched, funnel.to_review) == (2, 1, 1, 1)
    assert funnel.hours == pytest.approx(20 / 3600)
    assert (funnel.aligned, funnel.utterances, funnel.corrected, funnel.published) == (1, 2, 1, 1)
    assert funnel.failed == (failed,)


# ---- databases that cannot be used


def one_line(told: pytest.ExceptionInfo[StoreError]) -> str:
    message = str(told.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////nowhere/at/all/corpus.db", "unable to open"),
        ("no url at all", "Could not parse"),
        ("", "Could not parse"),
        ("nosuchdb://user:secret@host/corpus", "nosuchdb"),
        ("sqlite+nosuchdriver:///x.db", "nosuchdriver"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as told:
        Store(url)
    assert "secret" not in one_line(told)


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="needs the package psycopg") as told:
        Store("postgresql+psycopg://user:secret@host/corpus")
    assert "secret" not in one_line(told)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "corpus.db").write_bytes(b"not a database at all, but long enough" * 100)
    with pytest.raises(StoreError, match="not a database") as told:
        Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    assert "corpus.db" in one_line(told)


def test_a_damaged_database(store: Store, tmp_path: Path) -> None:
    save(store, CINTA, *(verse(f"verso {i}") for i in range(2000)))
    store.close()
    path = tmp_path / "corpus.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StoreError, match=r"malformed|not a database") as told:
        read_verses(f"sqlite:///{path}")
    one_line(told)


def read_verses(url: str) -> None:
    with contextlib.closing(Store(url)) as damaged:
        damaged.verses()


def test_a_database_of_another_version(store: Store, tmp_path: Path) -> None:
    with store._database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"another cante-corpus.*9999") as told:
        Store(f"sqlite:///{tmp_path / 'corpus.db'}")
    one_line(told)


# ---- several processes


def test_a_new_store_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "corpus.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    release.start()
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        assert store.recordings() == ()
    release.join()
    other.close()


WRITER = """
import sys
import threading
from corpus.store import Store
from tests.corpus.made import recording, verse

url, name = sys.argv[1:]
store = Store(url)
for i in range(20):
    with store.transaction() as transaction:
        shared = verse(f"verso {i}", source=name)
        transaction.save([recording(f"{name} {i}"), shared])
"""


def test_processes_write_at_once_into_a_new_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'corpus.db'}"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, name],
            cwd=Path(__file__).parent.parent.parent,
            stderr=subprocess.PIPE,
        )
        for name in ("uno", "dos", "tres")
    ]
    told = [writer.communicate(timeout=100)[1] for writer in writers]
    assert [(writer.returncode, err) for writer, err in zip(writers, told, strict=True)] == [
        (0, b"")
    ] * 3
    store = Store(url)
    assert len(store.recordings()) == 60
    assert [len(found.sources) for found in store.verses()] == [3] * 20
    store.close()
