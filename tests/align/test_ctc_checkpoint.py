from __future__ import annotations

import json
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchaudio import pipelines  # type: ignore[import-untyped]  # ships no types

from align.ctc_checkpoint import Wav2Vec2CTC, find_checkpoint
from align.labels import LABELS
from corpus.errors import ModelError
from corpus.media import flac_bytes
from tests.align.toys import noise
from tests.conftest import Cli

SIGNS = ["[PAD]", "|", "[UNK]", "A", "á", "n", "Ñ", "'", "3", "ß", "N"]
HEARD = ("", "a", "n", "s", "ñ", "'")
REPOSITORY = "cante/prueba"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens here, nothing is fetched."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a checkpoint must not be fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


def write_checkpoint(folder: Path, signs: list[str]) -> Path:
    """A random wav2vec2 CTC checkpoint with its processor, as transformers saves them."""
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(signs)}), "utf-8")
    # It adds <s> and </s>, for which the model has no column.
    tokenizer = Wav2Vec2CTCTokenizer(
        str(folder / "vocab.json"),
        pad_token=signs[0],
        unk_token=signs[2],
    )
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        vocab_size=len(signs),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("wav2vec2"), SIGNS)


@pytest.fixture
def own_copy(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "copla"))


# ---- of transformers, in a folder


def test_emissions_are_log_probabilities_of_plain_letters(checkpoint: Path) -> None:
    told: list[float] = []
    model = Wav2Vec2CTC(checkpoint, device="cpu")
    heard = model.hear(noise(33.333), told.append).letters
    assert heard.shape == (1667, len(HEARD))
    assert heard.dtype == np.float32
    assert np.exp(heard).sum(1) == pytest.approx(np.ones(1667), abs=1e-4)
    assert told[-1] == 1.0
    assert model.labels == HEARD
    assert model.frame_rate == 50.0


def test_accents_and_capitals_count_as_the_letter_and_signs_as_blank(checkpoint: Path) -> None:
    model = Wav2Vec2CTC(checkpoint, device="cpu")
    assert {SIGNS[i]: HEARD[int(row.argmax())] for i, row in enumerate(model._fold)} == {
        "[PAD]": "",
        "|": "",
        "[UNK]": "",
        "3": "",
        "A": "a",
        "á": "a",
        "n": "n",
        "N": "n",
        "Ñ": "ñ",
        "'": "'",
        "ß": "s",
    }
    assert model._fold.sum(1).tolist() == [1.0] * len(SIGNS)


def test_it_hears_what_the_checkpoint_hears(checkpoint: Path) -> None:
    from transformers import Wav2Vec2ForCTC

    samples = noise(2.0)
    heard = Wav2Vec2CTC(checkpoint, device="cpu").hear(samples).letters
    audio = samples.read(0, 32000)
    normed = torch.from_numpy((audio - audio.mean()) / np.sqrt(audio.var() + 1e-7))
    with torch.inference_mode():
        theirs = Wav2Vec2ForCTC.from_pretrained(checkpoint).eval()(normed[None]).logits[0]
    shares = theirs.softmax(-1).numpy()
    expected = np.log(shares[:, SIGNS.index("n")] + shares[:, SIGNS.index("N")])
    assert np.abs(heard[:80, HEARD.index("n")] - expected[:80]).max() < 0.05


def test_a_letter_that_it_does_not_know_is_no_label(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, ["[PAD]", "|", "[UNK]", "a", "n"])
    assert Wav2Vec2CTC(folder, device="cpu").labels == ("", "a", "n")


def test_one_that_hears_no_letters_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, ["[PAD]", "|", "[UNK]", "ж", "я"])
    with pytest.raises(ModelError, match="hears none of the letters a to z"):
        Wav2Vec2CTC(folder, device="cpu")


def test_it_goes_by_another_name_when_its_weights_change(own_copy: Path) -> None:
    before = find_checkpoint(str(own_copy)).edition
    assert re.fullmatch(r"copla-[0-9a-f]{8}", before)
    assert Wav2Vec2CTC(own_copy, device="cpu").name == before
    weights = bytearray((own_copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (own_copy / "model.safetensors").write_bytes(weights)
    assert find_checkpoint(str(own_copy)).edition != before


def test_a_folder_without_a_checkpoint_raises_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="holds no wav2vec2 CTC checkpoint"):
        Wav2Vec2CTC(tmp_path, device="cpu")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["vocab.json", "model.safetensors"])
def test_a_damaged_file_raises_in_silence(
    own_copy: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_copy / name).write_bytes((own_copy / name).read_bytes()[:20])
    with pytest.raises(ModelError, match="cannot be loaded as a wav2vec2 CTC checkpoint"):
        Wav2Vec2CTC(own_copy, device="cpu")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("classes", "told"),
    [(["HubertForCTC"], "holds HubertForCTC"), (["Wav2Vec2ForPreTraining"], "is needed")],
)
def test_another_class_is_not_taken_for_it(own_copy: Path, classes: list[str], told: str) -> None:
    config = json.loads((own_copy / "config.json").read_text("utf-8"))
    (own_copy / "config.json").write_text(json.dumps(config | {"architectures": classes}), "utf-8")
    with pytest.raises(ModelError, match=told):
        Wav2Vec2CTC(own_copy, device="cpu")


def test_a_damaged_config_raises(own_copy: Path) -> None:
    (own_copy / "config.json").write_text("[1, ", "utf-8")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        Wav2Vec2CTC(own_copy, device="cpu")


def test_the_command_line_takes_one_by_its_folder(
    cli: Cli, checkpoint: Path, tmp_path: Path
) -> None:
    sound, letra = tmp_path / "ruido.flac", tmp_path / "letra.txt"
    samples = noise(3.0)
    sound.write_bytes(flac_bytes(samples.read(0, samples.n_samples)))
    letra.write_text("ay pena\npenita\n", "utf-8")
    ran = cli("align-file", sound, letra, "--model", checkpoint)
    assert ran.code == 0
    assert [line["text"] for line in ran.json["lines"]] == ["ay pena", "penita"]


# ---- of transformers, by its name at the hub


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty caches: that of the hub's own library, and ours."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))
    return tmp_path / "hub"


def in_cache(hub_cache: Path, checkpoint: Path) -> Path:
    """The snapshot of a repository, laid out as the hub's library does."""
    repository, commit = hub_cache / "models--cante--prueba", "0123456789abcdef" * 2 + "01234567"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit, "utf-8")
    return Path(shutil.copytree(checkpoint, repository / "snapshots" / commit))


def test_one_in_the_hubs_cache_goes_by_its_name(hub_cache: Path, checkpoint: Path) -> None:
    in_cache(hub_cache, checkpoint)
    model = Wav2Vec2CTC(REPOSITORY, device="cpu")
    assert re.fullmatch(r"cante/prueba-[0-9a-f]{8}", model.name)
    assert model.hear(noise(1.0)).letters.shape == (50, len(HEARD))


def test_one_in_our_cache_goes_by_its_name(
    hub_cache: Path, checkpoint: Path, tmp_path: Path
) -> None:
    assert not hub_cache.exists()
    ours = Path(shutil.copytree(checkpoint, tmp_path / "models/transformers/cante--prueba"))
    assert find_checkpoint(REPOSITORY).source == str(ours)


def test_one_that_was_never_fetched_raises_and_says_how_to(hub_cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as told:
        Wav2Vec2CTC(REPOSITORY, device="cpu")
    message = str(told.value)
    assert message.count("\n") == 0
    assert str(hub_cache) in message
    assert str(tmp_path / "models" / "transformers" / "cante--prueba") in message
    assert message.endswith("fetch it with `hf download cante/prueba`")


def test_half_a_snapshot_is_no_checkpoint(hub_cache: Path, checkpoint: Path) -> None:
    (in_cache(hub_cache, checkpoint) / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no wav2vec2 CTC checkpoint"):
        Wav2Vec2CTC(REPOSITORY, device="cpu")


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("name", ["", "../..//x", "a b", "no-such-model\n"])
def test_a_name_that_cannot_be_raises(name: str) -> None:
    with pytest.raises(ModelError):
        find_checkpoint(name)


# ---- of torchaudio

BUNDLE_SIGNS = ("|", "e", "a", "á", "n")
TINY: dict[str, Any] = {
    "extractor_mode": "group_norm",
    "extractor_conv_layer_config": [(8, 10, 5), *[(8, 3, 2)] * 4, *[(8, 2, 2)] * 2],
    "extractor_conv_bias": False,
    "encoder_embed_dim": 16,
    "encoder_projection_dropout": 0.0,
    "encoder_pos_conv_kernel": 16,
    "encoder_pos_conv_groups": 2,
    "encoder_num_layers": 1,
    "encoder_num_heads": 2,
    "encoder_attention_dropout": 0.0,
    "encoder_ff_interm_features": 16,
    "encoder_ff_interm_dropout": 0.0,
    "encoder_dropout": 0.0,
    "encoder_layer_norm_first": False,
    "encoder_layer_drop": 0.0,
    "aux_num_out": len(BUNDLE_SIGNS) + 1,
}


def register(monkeypatch: pytest.MonkeyPatch, name: str, kind: str, *, normed: bool) -> None:
    """A bundle as torchaudio has them, but small."""
    bundle = getattr(pipelines, kind)(
        _path=f"{name.lower()}.pt",
        _params=TINY,
        _sample_rate=16_000,
        _normalize_waveform=normed,
        _model_type="Wav2Vec2",
        _labels=BUNDLE_SIGNS,
    )
    monkeypatch.setattr(pipelines, name, bundle, raising=False)
    monkeypatch.setattr(pipelines, "__all__", [*pipelines.__all__, name])


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which torch.hub looks for weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def tiny_model(seed: int = 0) -> Any:
    from torchaudio.models import wav2vec2_model  # type: ignore[import-untyped]  # ships no types

    torch.manual_seed(seed)
    return wav2vec2_model(**TINY).eval()


def save_weights(path: Path, seed: int = 0) -> None:
    """Weights as torchaudio publishes them: three signs of fairseq's are left out when read."""
    state = tiny_model(seed).state_dict()
    for key in ("aux.weight", "aux.bias"):
        state[key] = torch.cat([state[key][:1], torch.zeros_like(state[key][:3]), state[key][1:]])
    torch.save(state, path)


def heard_by_tiny(audio: NDArray[np.float32], *, normed: bool) -> NDArray[np.float32]:
    """Shares of the signs, shape (n_frames, 6), by torchaudio itself."""
    waveform = torch.from_numpy(audio)[None]
    if normed:
        waveform = torch.nn.functional.layer_norm(waveform, waveform.shape)
    with torch.inference_mode():
        shares: NDArray[np.float32] = tiny_model()(waveform)[0][0].softmax(-1).numpy()
    return shares


@pytest.mark.parametrize(
    ("name", "kind", "normed"),
    [
        ("TINY_ASR_ES", "Wav2Vec2ASRBundle", False),
        ("TINY_ASR_NORMED", "Wav2Vec2ASRBundle", True),
        # As MMS_FA: log-probabilities, with a star beside them that is sure at every frame.
        ("TINY_FA", "Wav2Vec2FABundle", True),
    ],
)
def test_a_bundle_of_torchaudio_hears_its_letters(
    name: str, kind: str, normed: bool, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, name, kind, normed=normed)
    save_weights(weights / f"{name.lower()}.pt")
    model = Wav2Vec2CTC(name, device="cpu")
    samples = noise(2.0)
    heard = model.hear(samples).letters
    assert model.labels == ("", "a", "e", "n")
    assert re.fullmatch(rf"{name}-[0-9a-f]{{8}}", model.name)
    assert np.exp(heard).sum(1) == pytest.approx(np.ones(100), abs=1e-4)
    shares = heard_by_tiny(np.pad(samples.read(0, 32_000), (0, 80)), normed=normed)
    # Blank and word bound; a and á; e; n.
    columns = ([0, 1], [3, 4], [2], [5])
    expected = np.stack([shares[:, some].sum(1) for some in columns], axis=1)
    assert np.exp(heard) == pytest.approx(expected, abs=1e-4)


def test_a_bundle_with_other_weights_goes_by_another_name(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, "TINY_ASR_ES", "Wav2Vec2ASRBundle", normed=False)
    names = set()
    for seed in (0, 1):
        save_weights(weights / "tiny_asr_es.pt", seed)
        names.add(find_checkpoint("TINY_ASR_ES").edition)
    assert len(names) == 2


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("VOXPOPULI_ASR_BASE_10K_ES", "wav2vec2_voxpopuli_base_10k_asr_es.pt"),
        ("WAV2VEC2_ASR_BASE_960H", "wav2vec2_fairseq_base_ls960_asr_ls960.pth"),
        ("MMS_FA", "model.pt"),
    ],
)
def test_a_bundle_that_was_never_fetched_raises_and_says_how_to(
    name: str, file: str, weights: Path
) -> None:
    with pytest.raises(ModelError) as told:
        Wav2Vec2CTC(name, device="cpu")
    assert str(told.value) == (
        f"the weights of {name} are not on this machine (looked for in {weights / file}): "
        f"fetch them with `python -c 'import torchaudio; torchaudio.pipelines.{name}.get_model()'`"
    )


@pytest.mark.parametrize("name", ["WAV2VEC2_BASE", "HDEMUCS_HIGH_MUSDB", "Wav2Vec2Bundle"])
def test_a_bundle_without_letters_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=f"torchaudio's {name} hears no letters"):
        Wav2Vec2CTC(name, device="cpu")


@pytest.mark.parametrize("damage", [b"", b"no weights at all", None])
def test_damaged_weights_of_a_bundle_raise(
    damage: bytes | None, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, "TINY_ASR_ES", "Wav2Vec2ASRBundle", normed=False)
    path = weights / "tiny_asr_es.pt"
    if damage is None:
        torch.save({"aux.weight": torch.zeros(9, 3), "aux.bias": torch.zeros(9)}, path)
    else:
        path.write_bytes(damage)
    with pytest.raises(ModelError, match="TINY_ASR_ES cannot be loaded"):
        Wav2Vec2CTC("TINY_ASR_ES", device="cpu")


def test_labels_stand_in_the_order_of_all(checkpoint: Path) -> None:
    labels = Wav2Vec2CTC(checkpoint, device="cpu").labels
    assert labels == tuple(label for label in LABELS if label in labels)
