"""A release in other formats, each read back by the library that it is for."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from corpus.lyrics.lrc import timed_lines
from corpus.publish.clips import Codec
from corpus.publish.export import Exported
from corpus.publish.formats import formats
from corpus.publish.formats.base import Part
from corpus.publish.formats.kaldi import speaker_of
from corpus.workspace import Workspace
from tests.corpus.released import exported, fill, released, rows_of

NAMES = ("audiofolder", "kaldi", "lhotse", "lrc", "nemo", "shar", "textgrid", "webdataset")
# The readers of lhotse Shar and WebDataset leave archives to the garbage collector.
OPEN = pytest.mark.filterwarnings("ignore:unclosed file <_io.BufferedReader:ResourceWarning")
DEV = {"train": "train", "validation": "dev", "test": "test"}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=list(Codec), ids=[codec.value for codec in Codec])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release in a folder whose name libraries take for patterns and addresses."""
    folder = tmp_path_factory.mktemp("100% #raro? 'y' año")
    workspace = Workspace.create(folder / "cante")
    fill(workspace)
    made = released(workspace, folder / "uno", request.param)
    workspace.store.close()
    return made


@pytest.fixture(scope="module")
def rows(release: Path) -> Rows:
    found = rows_of(release)
    assert set(found) == set(DEV)
    return found


def samples_of(row: dict[str, Any]) -> Any:
    """The samples of a row, shape (n_samples,)."""
    return soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")[0]


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


# ---- of all formats


def test_the_formats_are_those_of_the_folder() -> None:
    assert tuple(sorted(formats())) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_format_takes_all_and_leaves_the_release(
    name: str, release: Path, rows: Rows, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in release.rglob("*") if path.is_file()}
    made = exported(release, name, tmp_path / "out")
    n_rows = {split: len(found) for split, found in rows.items()}
    assert made == Exported(format=name, folder=str(tmp_path / "out"), rows=n_rows)
    assert {path: path.read_bytes() for path in release.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert card.startswith("# ")
    assert "## Rights" in card
    assert "![" not in card


@pytest.mark.parametrize("name", NAMES)
def test_every_format_gives_the_same_again(name: str, release: Path, tmp_path: Path) -> None:
    trees = []
    # One of a name that libraries take for a pattern or an address.
    for folder in (tmp_path / "a", tmp_path / "file:100% %d #raro?{0..1} 'y' año"):
        exported(release, name, folder)
        # gzip tells the time; what is in it is compared by the tests below.
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        same = [path for path in files if path.suffix != ".gz" and path.name != "wav.scp"]
        trees.append({path.relative_to(folder): path.read_bytes() for path in same})
    assert trees[0] == trees[1]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"kaldi", "textgrid", "lrc"}))
def test_sound_is_copied_as_it_is(name: str, release: Path, rows: Rows, tmp_path: Path) -> None:
    exported(release, name, tmp_path / "out")
    whole = b"".join(p.read_bytes() for p in sorted((tmp_path / "out").rglob("*")) if p.is_file())
    assert all(row["audio"]["bytes"] in whole for found in rows.values() for row in found)


def rest(said: dict[str, Any], row: dict[str, Any], *but: str) -> None:
    """All that a row says is there; times in the recording under names of their own."""
    import base64

    for column in set(row) - {"audio", *but}:
        name = {"start": "recording_start", "end": "recording_end"}.get(column, column)
        value = row[column]
        if isinstance(value, bytes):
            assert base64.b64decode(said[name]) == value
        else:
            assert said[name] == value


# ---- lhotse


@OPEN
@pytest.mark.parametrize("name", ["lhotse", "shar"])
def test_lhotse_reads_cuts(name: str, release: Path, rows: Rows, tmp_path: Path) -> None:
    from lhotse import CutSet
    from lhotse.qa import validate

    folder = tmp_path / "out"
    exported(release, name, folder)
    for split, part in DEV.items():
        if name == "shar":
            cuts = CutSet.from_shar(in_dir=folder / part)
        else:
            made = CutSet.from_file(folder / f"cante_cuts_{part}.jsonl.gz")
            cuts = made.with_recording_path_prefix(folder)
        found = list(cuts)
        assert [cut.id for cut in found] == [row["id"] for row in rows[split]]
        for cut, row in zip(found, rows[split], strict=True):
            validate(cut)
            np.testing.assert_allclose(cut.load_audio()[0], samples_of(row), atol=1e-4)
            (said,) = cut.supervisions
            assert (said.text, said.language) == (row["text"], "es")
            assert (said.speaker or "", said.gender or "") == (row["singer"], row["sex"])
            words = (said.alignment or {}).get("word", [])
            assert [word.symbol for word in words] == [word["text"] for word in row["words"]]
            for word, timed in zip(words, row["words"], strict=True):
                assert (word.start, word.end) == pytest.approx((timed["start"], timed["end"]))
                assert word.score == timed["score"]
            rest(said.custom, row, "id", "text", "duration", "words", "singer", "sex")


def test_lhotse_recipes_find_the_manifests(release: Path, rows: Rows, tmp_path: Path) -> None:
    from lhotse import CutSet
    from lhotse.recipes.utils import read_manifests_if_cached

    exported(release, "lhotse", tmp_path / "out")
    found = read_manifests_if_cached(list(DEV.values()), tmp_path / "out", "cante")
    assert found is not None
    for split, part in DEV.items():
        cuts = CutSet.from_manifests(**found[part])
        # lhotse numbers these cuts by itself.
        said = [one.id for cut in cuts for one in cut.supervisions]
        assert sorted(said) == sorted(row["id"] for row in rows[split])


# ---- NeMo


def test_nemo_manifests_are_as_nemo_asks(release: Path, rows: Rows, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    exported(release, "nemo", folder)
    for split, found in rows.items():
        lines = json_lines(folder / f"{split}_manifest.json")
        for line, row in zip(lines, found, strict=True):
            # A path that is not absolute is one from the folder of the manifest.
            clip = folder / line["audio_filepath"]
            assert clip.read_bytes() == row["audio"]["bytes"]
            assert line["duration"] == pytest.approx(soundfile.info(str(clip)).duration)
            assert (line["text"], line["lang"]) == (row["text"], "es")
            # With an offset NeMo reads from there; without, the whole file.
            assert "offset" not in line
            rest(line, row, "text", "duration")


# ---- Kaldi


def table(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}


def test_kaldi_directories_are_read(release: Path, rows: Rows, tmp_path: Path) -> None:
    import kaldiio
    from lhotse.kaldi import load_kaldi_data_dir

    exported(release, "kaldi", tmp_path / "con espacio")
    for split, part in DEV.items():
        folder = tmp_path / "con espacio" / part
        said = json_lines(folder / "metadata.jsonl")
        name_of = {line["id"]: line["utterance"] for line in said}
        recordings, supervisions, _ = load_kaldi_data_dir(folder, 16_000)
        by_id = {one.id: one for one in supervisions}
        sound = kaldiio.load_scp(str(folder / "wav.scp"))
        assert len(by_id) == len(recordings) == len(sound) == len(rows[split])
        for row, line in zip(rows[split], said, strict=True):
            one = by_id[name_of[row["id"]]]
            rate, samples = sound[one.id]
            assert rate == 16_000
            np.testing.assert_allclose(samples / 2**15, samples_of(row), atol=1e-4)
            heard = recordings[one.recording_id].load_audio()[0]
            np.testing.assert_allclose(heard, samples_of(row), atol=1e-4)
            assert (one.text, one.language) == (row["text"], "es")
            assert one.duration == pytest.approx(len(samples) / rate, abs=1e-3)
            rest(line, row)


def test_kaldi_tables_are_sorted_as_c_does(release: Path, tmp_path: Path) -> None:
    exported(release, "kaldi", tmp_path / "out")
    c = os.environ | {"LC_ALL": "C"}
    for part in DEV.values():
        folder = tmp_path / "out" / part
        for name in ("wav.scp", "text", "utt2spk", "spk2utt", "segments", "utt2dur", "reco2dur"):
            subprocess.run(["sort", "-c", str(folder / name)], env=c, check=True)
        by_speaker = ["sort", "-c", "-k2,2", "-k1,1", str(folder / "utt2spk")]
        subprocess.run(by_speaker, env=c, check=True)
        speakers = table(folder / "utt2spk")
        assert all(name.startswith(f"{speaker}-") for name, speaker in speakers.items())
        told = {name: s for s, names in table(folder / "spk2utt").items() for name in names.split()}
        assert told == speakers
        assert all(f"{name} {name}".isascii() for name in speakers)


@given(st.text(), st.text())
def test_kaldi_speakers_are_names_that_part_singers(one: str, other: str) -> None:
    from corpus.text import fold

    first, second = (speaker_of({"singer": name, "recording": "a" * 64}) for name in (one, other))
    assert (first == second) == (fold(one) == fold(other))
    assert len(first) < 60
    assert set(first) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


# ---- AudioFolder


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`datasets` with a cache of its own and no bars."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.mark.usefixtures("quiet")
def test_datasets_loads_the_audiofolder(release: Path, rows: Rows, tmp_path: Path) -> None:
    from datasets import Audio, load_dataset

    exported(release, "audiofolder", tmp_path / "out")
    found = load_dataset("audiofolder", data_dir=str(tmp_path / "out"))
    assert set(found) == set(rows)
    for split, mine in rows.items():
        by_id = {one["id"]: one for one in found[split].cast_column("audio", Audio(decode=False))}
        assert len(by_id) == len(mine)
        for row in mine:
            one = by_id[row["id"]]
            assert Path(one.pop("audio")["path"]).read_bytes() == row["audio"]["bytes"]
            assert one == {column: row[column] for column in set(row) - {"audio"}}


@pytest.mark.usefixtures("quiet")
def test_splits_may_differ_in_what_is_known(release: Path, rows: Rows, tmp_path: Path) -> None:
    """Only one split has years and people: of JSON lines, `datasets` would not take this."""
    import pyarrow.parquet as pq
    from datasets import load_dataset

    schema = pq.read_schema(next((release / "data").iterdir()))
    known = {"year": 1950, "annotators": ["annotator-1"]}
    unknown: dict[str, Any] = {"year": None, "annotators": [], "words": []}
    for split, told in (("train", unknown), ("test", known)):
        made = [{**row, **told} for row in rows[split]]
        part = Part(split=split, rows=made, schema=schema)
        formats()["audiofolder"].write(part, tmp_path, tmp_path)
    found = load_dataset("audiofolder", data_dir=str(tmp_path))
    assert set(found["train"]["year"]) == {None}
    assert found["test"]["annotators"][0] == ["annotator-1"]


# ---- WebDataset


@OPEN
def test_webdataset_reads_its_archives(release: Path, rows: Rows, tmp_path: Path) -> None:
    from webdataset import WebDataset

    exported(release, "webdataset", tmp_path / "out")
    for split, part in {**DEV, "validation": "val"}.items():
        archive = tmp_path / "out" / f"{part}-000000.tar"
        found = list(WebDataset(str(archive), shardshuffle=False, empty_check=False))
        for one, row in zip(found, rows[split], strict=True):
            suffix = row["audio"]["path"].rpartition(".")[2]
            assert one["__key__"] == row["id"]
            assert one[suffix] == row["audio"]["bytes"]
            assert one["txt"].decode("utf-8") == row["text"]
            rest(json.loads(one["json"]), row)


def test_webdataset_begins_an_archive_when_one_is_full(
    release: Path, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.publish.formats.webdataset._LARGEST", 1)
    exported(release, "webdataset", tmp_path / "out")
    n_archives = len(list((tmp_path / "out").glob("train-*.tar")))
    assert n_archives == len(rows["train"]) > 1
    assert (tmp_path / "out" / f"train-{n_archives - 1:06d}.tar").is_file()


# ---- a file a recording


def recordings_of(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    by_recording: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_recording.setdefault(row["recording"], []).append(row)
    return by_recording


def test_praat_reads_the_textgrids(release: Path, rows: Rows, tmp_path: Path) -> None:
    from praatio.textgrid import openTextgrid

    exported(release, "textgrid", tmp_path / "out")
    for split, found in rows.items():
        mine = recordings_of(found)
        paths = (tmp_path / "out" / split).glob("*.TextGrid")
        assert {path.stem for path in paths} == set(mine)
        for recording, sung in mine.items():
            path = tmp_path / "out" / split / f"{recording}.TextGrid"
            grid = openTextgrid(str(path), includeEmptyIntervals=False)
            lines, words = (grid.getTier(name).entries for name in ("lines", "words"))
            texts = [row for row in sung if row["text"]]
            assert [one.label for one in lines] == [row["text"] for row in texts]
            assert [one.label for one in words] == " ".join(r["text"] for r in texts).split()
            for one, row in zip(lines, texts, strict=True):
                assert (one.start, one.end) == pytest.approx((row["start"], row["end"]), abs=1e-3)
            assert grid.maxTimestamp >= max(row["end"] for row in sung)
        for line, row in zip(json_lines(metadata(tmp_path, split)), found, strict=True):
            assert line["file_name"] == f"{row['recording']}.TextGrid"
            rest(line, row)


def metadata(folder: Path, split: str) -> Path:
    return folder / "out" / split / "metadata.jsonl"


def test_ffmpeg_reads_the_lrc(release: Path, rows: Rows, tmp_path: Path) -> None:
    exported(release, "lrc", tmp_path / "out")
    for split, found in rows.items():
        for recording, sung in recordings_of(found).items():
            path = tmp_path / "out" / split / f"{recording}.lrc"
            show = ["-show_entries", "packet=pts_time:format_tags", "-of", "json"]
            command = ["ffprobe", "-v", "error", "-f", "lrc", *show, str(path)]
            said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            starts = [float(one["pts_time"]) for one in said["packets"]]
            assert starts == pytest.approx([r["start"] for r in sung if r["text"]], abs=0.006)
            assert said["format"]["tags"].get("artist", "") == sung[0]["singer"]


def test_lrc_has_the_time_of_each_word(release: Path, rows: Rows, tmp_path: Path) -> None:
    exported(release, "lrc", tmp_path / "out")
    for split, found in rows.items():
        for recording, sung in recordings_of(found).items():
            text = (tmp_path / "out" / split / f"{recording}.lrc").read_text("utf-8")
            head, *_ = text.split("\n")
            assert head.startswith("[ti:../../ay [00:00.00] \"ay\" 🎸 'y' %06d muy largo")
            lines = timed_lines(text)
            texts = [row for row in sung if row["text"]]
            for line, row in zip(lines, texts, strict=True):
                assert line.start == pytest.approx(row["start"], abs=0.006)
                *words, (end, nothing) = line.parts
                assert [word for _, word in words] == row["text"].split()
                assert end == pytest.approx(row["end"], abs=0.006)
                assert not nothing
                starts = [row["start"] + word["start"] for word in row["words"]]
                assert [start for start, _ in words] == pytest.approx(starts, abs=0.006)
        for said, row in zip(json_lines(metadata(tmp_path, split)), found, strict=True):
            rest(said, row)
