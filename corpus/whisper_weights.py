"""Whisper from CTranslate2's form to that of transformers.

CTranslate2 reads the transformers form itself (train/convert.py); the way back
has no tool, and the bundled Whisper base comes in CTranslate2's form only.
The binary layout is that of CTranslate2's `model_spec.py` (format 4 to 6).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MissingExtraError, ModelError

__all__ = ["read_variables", "to_state", "to_transformers"]

Array = NDArray[Any]

_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_LAST_TIMESTAMP = 1500  # <|30.00|> in steps of 0.02 s


class _Reader:
    """Takes little-endian values from bytes, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self, code: str) -> int:
        value = int(struct.unpack_from("<" + code, self.data, self.at)[0])
        self.at += struct.calcsize(code)
        return value

    def string(self) -> str:
        size = self.number("H")  # counts the closing NUL
        text = self.data[self.at : self.at + size - 1].decode()
        self.at += size
        return text

    def array(self) -> Array:
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = np.dtype(_DTYPES[self.number("B")])
        size = self.number("I")
        values = np.frombuffer(self.data, dtype, size // dtype.itemsize, self.at)
        self.at += size
        return values.reshape(shape)


def read_variables(path: Path) -> dict[str, Array]:
    """The named arrays of a CTranslate2 model.bin; raises ModelError when it is not Whisper's."""
    reader = _Reader(path.read_bytes())
    try:
        version, spec = reader.number("I"), reader.string()
        if version not in (4, 5, 6) or spec != "WhisperSpec":
            raise ModelError(f"{path} is not a Whisper of CTranslate2's format 4 to 6")
        reader.number("I")  # the revision of the spec
        variables = {reader.string(): reader.array() for _ in range(reader.number("I"))}
        for _ in range(reader.number("I")):
            alias, name = reader.string(), reader.string()
            variables[alias] = variables[name]
    except (struct.error, KeyError, ValueError) as error:
        raise ModelError(f"{path} is cut short or damaged: {error}") from error
    return variables


def to_state(variables: Mapping[str, Array]) -> dict[str, Array]:
    """The weights by the names of transformers' WhisperForConditionalGeneration, float32.

    Raises ModelError on a quantised model, whose weights cannot be tuned.
    """
    state: dict[str, Array] = {}
    for side in ("encoder", "decoder"):
        state |= _embeddings(variables, side)
        for layer in range(_n_layers(variables, side)):
            state |= _layer(variables, side, layer)
    if any(np.issubdtype(values.dtype, np.integer) for values in state.values()):
        raise ModelError("this Whisper is quantised to integers: take one in float16 or float32")
    return {name: np.ascontiguousarray(values, np.float32) for name, values in state.items()}


def _n_layers(variables: Mapping[str, Array], side: str) -> int:
    layers = {name.split("/")[1] for name in variables if name.startswith(f"{side}/layer_")}
    return len(layers - {"layer_norm"})


def _pair(variables: Mapping[str, Array], source: str, target: str) -> dict[str, Array]:
    """Weight and bias of a linear layer, a convolution or (gamma, beta) a normalisation."""
    weight, bias = ("gamma", "beta") if source.endswith("layer_norm") else ("weight", "bias")
    return {
        f"{target}.weight": variables[f"{source}/{weight}"],
        f"{target}.bias": variables[f"{source}/{bias}"],
    }


def _embeddings(variables: Mapping[str, Array], side: str) -> dict[str, Array]:
    base = f"model.{side}"
    positions = variables[f"{side}/position_encodings/encodings"]
    state = {f"{base}.embed_positions.weight": positions}
    state |= _pair(variables, f"{side}/layer_norm", f"{base}.layer_norm")
    if side == "decoder":
        return state | {f"{base}.embed_tokens.weight": variables["decoder/embeddings/weight"]}
    for conv in ("conv1", "conv2"):
        state |= _pair(variables, f"encoder/{conv}", f"{base}.{conv}")
    return state


def _layer(variables: Mapping[str, Array], side: str, layer: int) -> dict[str, Array]:
    source, target = f"{side}/layer_{layer}", f"model.{side}.layers.{layer}"
    ffn = f"{source}/ffn"
    state = (
        _attention(variables, f"{source}/self_attention", f"{target}.self_attn", ("qkv", "out"))
        | _pair(variables, f"{ffn}/layer_norm", f"{target}.final_layer_norm")
        | _pair(variables, f"{ffn}/linear_0", f"{target}.fc1")
        | _pair(variables, f"{ffn}/linear_1", f"{target}.fc2")
    )
    if side == "decoder":
        cross = f"{target}.encoder_attn"
        state |= _attention(variables, f"{source}/attention", cross, ("q", "kv", "out"))
    return state


def _attention(
    variables: Mapping[str, Array], source: str, target: str, linears: tuple[str, ...]
) -> dict[str, Array]:
    """Projections that CTranslate2 keeps fused, one linear layer for each name in `linears`."""
    state = _pair(variables, f"{source}/layer_norm", f"{target}_layer_norm")
    for i, name in enumerate(linears):
        linear = f"{source}/linear_{i}"
        if name == "out":
            state |= _pair(variables, linear, f"{target}.out_proj")
            continue
        weights = np.split(variables[f"{linear}/weight"], len(name))
        biases = np.split(variables[f"{linear}/bias"], len(name))
        for part, weight, bias in zip(name, weights, biases, strict=True):
            state[f"{target}.{part}_proj.weight"] = weight
            if part != "k":  # Whisper's k has no bias; the fused one is zero there
                state[f"{target}.{part}_proj.bias"] = bias
    return state


def _config(variables: Mapping[str, Array]) -> dict[str, Any]:
    """The arguments of WhisperConfig, read off the shapes of the weights."""
    width, mels, _ = variables["encoder/conv1/weight"].shape
    vocabulary = variables["decoder/embeddings/weight"].shape[0]
    if (mels, vocabulary) != (80, 51865):
        raise ModelError(
            f"a Whisper of {mels} mel bands and {vocabulary} tokens cannot be brought to "
            "transformers' form here (80 and 51865 can): fetch its transformers form"
        )
    sides: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        sides[f"{side}_layers"] = _n_layers(variables, side)
        sides[f"{side}_attention_heads"] = int(variables[f"{side}/num_heads"])
        sides[f"{side}_ffn_dim"] = variables[f"{side}/layer_0/ffn/linear_0/weight"].shape[0]
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 50257)
    return (
        sides
        | special
        | {
            "architectures": ["WhisperForConditionalGeneration"],
            "d_model": width,
            "vocab_size": vocabulary,
            "num_mel_bins": mels,
            "decoder_start_token_id": 50258,
            # Suppressed tokens belong to the generation, not to the model.
            "suppress_tokens": None,
            "begin_suppress_tokens": None,
        }
    )


def _generation(settings: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    languages = set(settings["lang_ids"])
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 50257)
    return special | {
        "alignment_heads": settings["alignment_heads"],
        "suppress_tokens": settings["suppress_ids"],
        "begin_suppress_tokens": settings["suppress_ids_begin"],
        "lang_to_id": {token: i for token, i in ids.items() if i in languages},
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
        "is_multilingual": True,
        "return_timestamps": False,
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "decoder_start_token_id": ids["<|startoftranscript|>"],
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "prev_sot_token_id": ids["<|startofprev|>"],
    }


def to_transformers(source: Path, target: Path) -> None:
    """Write the Whisper of `source` (CTranslate2) into `target` as transformers reads it.

    Raises ModelError when `source` is no float Whisper, MissingExtraError without transformers.
    """
    try:
        from safetensors.numpy import save_file
        from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor
    except ImportError as error:
        raise MissingExtraError("train", "transformers") from error
    variables = read_variables(source / "model.bin")
    settings = json.loads((source / "config.json").read_text("utf-8"))
    WhisperConfig(**_config(variables)).save_pretrained(target)
    ids = _write_tokenizer(source / "tokenizer.json", target)
    GenerationConfig(**_generation(settings, ids)).save_pretrained(target)
    # transformers 5 would put this into processor_config.json, where CTranslate2 does not look.
    features = WhisperFeatureExtractor(feature_size=80).to_json_string()
    (target / "preprocessor_config.json").write_text(features, "utf-8")
    save_file(to_state(variables), target / "model.safetensors", metadata={"format": "pt"})
    (target / "model.safetensors").chmod(0o644)  # safetensors makes it 0600


def _write_tokenizer(source: Path, target: Path) -> dict[str, int]:
    """The tokenizer with Whisper's timestamps among its tokens; gives the added tokens' ids."""
    from transformers import AddedToken, WhisperTokenizerFast

    end = "<|endoftext|>"
    tokenizer = WhisperTokenizerFast(
        tokenizer_file=str(source),
        **dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), end),
    )
    specials = [token for token in tokenizer.get_added_vocab() if token != end]
    tokenizer.add_special_tokens({"additional_special_tokens": specials})
    # Not special: decoding a text keeps them out by itself, and timestamps need them.
    tokenizer.add_tokens(
        [
            AddedToken(f"<|{i * 0.02:.2f}|>", normalized=False, special=False)
            for i in range(_LAST_TIMESTAMP + 1)
        ]
    )
    tokenizer.save_pretrained(target)
    return dict(tokenizer.get_added_vocab())
