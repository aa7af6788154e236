"""The whole step, against transformers in float32, and against itself in other company."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.names import KvCache, Weights
from tunesmith.serve.native import isa, packed, plan, sources
from tunesmith.serve.native.formats import kv_cache_beside, memory
from tunesmith.serve.native.model import NativeModel, Read, formats
from tunesmith.serve.native.rotary import rotary
from tunesmith.serve.native.table import Room

PROMPTS = [[1, 403, 407, 261], [1, 410, 444, 400, 5, 9, 300], [1] * 70, [1, 420]]
ROOM = Room(rows=96, asked=96, context=160, pages=24, threads=2)
Make = Callable[..., NativeModel]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "weights" / "stories260K-hf"


@pytest.fixture(scope="module")
def make(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    config = AutoConfig.from_pretrained(folder)
    made: list[NativeModel] = []

    def build(
        weights: Weights = "float32",
        threads: int = 2,
        best: str | None = None,
        kv_cache: KvCache | None = None,
    ) -> NativeModel:
        one = isa.choose(isa.present(), best)
        shape = plan.plan(config)
        kinds = formats(shape, weights, one)
        path = tmp_path_factory.mktemp("packed") / "model.safetensors"
        with sources.Folder(folder) as source:
            packed.write(path, shape, kinds, source)
        arrays = packed.read(path, packed.layout(shape, kinds))
        room = Room(rows=96, asked=96, context=160, pages=24, threads=threads)
        kept = memory(kv_cache_beside(weights, shape.head, kv_cache))
        made.append(NativeModel(shape, rotary(shape, config), arrays, kinds, kept, one, room))
        return made[-1]

    yield build
    for model in made:
        model.close()


@pytest.fixture(scope="module")
def native(make: Make) -> NativeModel:
    return make()


@pytest.fixture(scope="module")
def theirs(folder: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def read(ids: Sequence[int], position: int = 0, pages: Sequence[int] = range(5)) -> Read:
    return Read(ids=ids, position=position, pages=pages, asked=range(len(ids)))


def test_it_writes_what_transformers_writes(native: NativeModel, theirs: torch.nn.Module) -> None:
    for prompt in PROMPTS:
        with torch.inference_mode():
            expected = theirs.generate(
                torch.tensor([prompt]), max_new_tokens=40, do_sample=False, eos_token_id=None, pad_token_id=0
            )[0].tolist()
            logits = theirs(torch.tensor([prompt])).logits[0].numpy()
        found = native.step([read(prompt)])
        np.testing.assert_allclose(found, logits, atol=1e-4)
        ids = [*prompt, int(found[-1].argmax())]
        while len(ids) < len(expected):
            ids.append(int(native.step([read(ids[-1:], len(ids) - 1)])[0].argmax()))
        assert ids == expected


@pytest.mark.parametrize(
    ("weights", "kv_cache"),
    [("float32", None), ("bfloat16", None), ("int8", None), ("int4", None), ("bfloat16", "int8")],
)
def test_a_sequence_does_not_depend_on_company_pieces_or_threads(
    make: Make, weights: Weights, kv_cache: KvCache | None
) -> None:
    model, single = make(weights, kv_cache=kv_cache), make(weights, threads=1, kv_cache=kv_cache)
    alone = [model.step([read(prompt)]).copy() for prompt in PROMPTS]
    pages = [range(5 * i, 5 * i + 4) for i in range(4)]
    together = model.step([read(prompt, pages=p) for prompt, p in zip(PROMPTS, pages, strict=True)])
    np.testing.assert_array_equal(together, np.concatenate(alone))
    pieces = [model.step([read(PROMPTS[2][i : i + 33], i)]).copy() for i in (0, 33, 66)]
    np.testing.assert_array_equal(np.concatenate(pieces), alone[2])
    np.testing.assert_array_equal(single.step([read(PROMPTS[2])]), alone[2])


def test_plain_vectors_compute_the_same_model(make: Make, native: NativeModel) -> None:
    plain = make(best="plain")
    np.testing.assert_allclose(plain.step([read(PROMPTS[1])]), native.step([read(PROMPTS[1])]), atol=1e-4)


class Rounded(DynamicCache):
    """Keys and values of each token and head as bytes with one scale."""

    def update(self, keys, values, *more, **others):
        return super().update(self._rounded(keys), self._rounded(values), *more, **others)

    def _rounded(self, x: torch.Tensor) -> torch.Tensor:
        scale = x.abs().amax(-1, keepdim=True) / 127
        return (x / scale).round() * scale


def test_keys_and_values_in_bytes_are_those_of_transformers_rounded(
    make: Make, theirs: torch.nn.Module
) -> None:
    native = make(kv_cache="int8")
    for prompt in PROMPTS:
        with torch.inference_mode():
            logits = theirs(torch.tensor([prompt]), past_key_values=Rounded()).logits[0].numpy()
        found = native.step([read(prompt)])
        # A number between two bytes may become either.
        np.testing.assert_allclose(found, logits, atol=0.03)
        assert np.abs(found - logits).mean() < 1e-3


@pytest.mark.parametrize(
    "wrong",
    [
        read([512]), read([-1]), read([1], position=160), read([1], position=-1), read([1], pages=[24]),
        read([1], pages=[-1]), read([1] * 97), read([]), read([1] * 33, pages=[0]), read([1], pages=range(6)),
        Read(ids=[1], position=0, pages=[0], asked=[1]), Read(ids=[1], position=0, pages=[0], asked=[-1]),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_before_it_is_computed(native: NativeModel, wrong: Read) -> None:
    with pytest.raises(TunesmithError) as error:
        native.step([wrong])
    assert error.value.problems[0].code == "N04"


def test_a_file_that_is_cut_off_or_changed_is_refused(tmp_path: Path, folder: Path) -> None:
    shape = plan.plan(AutoConfig.from_pretrained(folder))
    kinds = formats(shape, "int8", isa.here())
    expected = packed.layout(shape, kinds)
    path = tmp_path / "model.safetensors"
    with sources.Folder(folder) as source:
        packed.write(path, shape, kinds, source)
    whole = path.read_bytes()
    assert packed.read(path, expected)["embedding"].shape == (512, 64)
    changed = whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]
    for content in (b"", whole[:300], whole[:-1], changed):
        path.write_bytes(content)
        with pytest.raises(TunesmithError) as error:
            packed.read(path, expected)
        assert error.value.problems[0].code == "N03"
