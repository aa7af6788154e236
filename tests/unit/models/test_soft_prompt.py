"""Learned vectors before every text: the same in training, decoding and in the peft library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, BertConfig, BertModel

from tunesmith.core.errors import ModelError
from tunesmith.models import adapter_folder, soft_prompt
from tunesmith.models.backbone import Generic
from tunesmith.models.decoder import Decoder
from tunesmith.models.sampling import Sampling

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
IDS = torch.tensor([[1, 5, 9, 30, 44, 7, 80]])


@pytest.fixture
def stories(shared_data: Path) -> Any:
    """Makes the same small model each time."""
    folder = shared_data / "weights" / "stories260K-hf"
    return lambda: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture
def prompted(stories: Any) -> nn.Module:
    """With a prompt that changes what it says."""
    module: nn.Module = stories()
    torch.manual_seed(0)
    soft_prompt.add(module, length=5)
    return module


def logits(module: nn.Module) -> Tensor:
    with torch.inference_mode():
        found: Tensor = module(input_ids=IDS, use_cache=False).logits
    return found


def test_only_the_vectors_learn_and_the_model_speaks_of_its_tokens_alone(
    stories: Any, prompted: nn.Module
) -> None:
    learning = {name for name, parameter in prompted.named_parameters() if parameter.requires_grad}
    assert learning == {"soft_prompt.vectors"}
    assert logits(prompted).shape == logits(stories()).shape
    assert (logits(prompted) - logits(stories())).abs().max() > 0.01


def test_the_peft_library_reads_it_with_the_same_logits(
    stories: Any, prompted: nn.Module, tmp_path: Path
) -> None:
    assert adapter_folder.save(prompted, tmp_path, base="base", task_type="CAUSAL_LM")
    theirs = PeftModel.from_pretrained(stories(), str(tmp_path)).eval()
    torch.testing.assert_close(logits(theirs)[:, 5:], logits(prompted), rtol=0, atol=1e-5)
    again = adapter_folder.applied(stories(), tmp_path)
    torch.testing.assert_close(logits(again), logits(prompted), rtol=0, atol=0)


def test_training_sees_what_the_model_says(prompted: nn.Module) -> None:
    rows = [np.array([1, 5, 9]), np.array([1, 7, 80, 44, 3])]
    backbone = Generic(prompted, speaks=True)
    found = backbone.head.project(backbone.hidden(rows))
    alone = torch.cat([prompted(input_ids=torch.tensor(row)[None]).logits[0] for row in rows])
    torch.testing.assert_close(found, alone, rtol=0, atol=1e-4)


def test_sequences_that_come_and_go_are_continued_as_if_alone(prompted: nn.Module) -> None:
    prompts = [[1, 5, 9], [1, 7, 80, 44, 3]]
    decoder = Decoder(prompted, max_batch=2)
    handles = [decoder.add(ids, Sampling(max_new_tokens=8, temperature=0.0)) for ids in prompts]
    found: dict[int, list[int]] = {handle: [] for handle in handles}
    while decoder.active:
        for token in decoder.step():
            found[token.handle].append(token.id)
    for handle, ids in zip(handles, prompts, strict=True):
        said = list(ids)
        for _ in range(8):
            said.append(int(prompted(input_ids=torch.tensor([said])).logits[0, -1].argmax()))
        assert found[handle] == said[len(ids) :]


def test_an_encoder_keeps_room_for_it() -> None:
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
    encoder = BertModel(BertConfig(**sizes, vocab_size=50, max_position_embeddings=12)).eval()
    soft_prompt.add(encoder, length=4)
    assert encoder.config.max_position_embeddings == 8
    ids = torch.arange(8)[None]
    output = encoder(input_ids=ids, attention_mask=torch.ones_like(ids))
    assert output.last_hidden_state.shape == (1, 8, 16)


def test_a_model_without_room_is_refused() -> None:
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
    with pytest.raises(ModelError) as caught:
        soft_prompt.add(BertModel(BertConfig(**sizes, vocab_size=50, max_position_embeddings=12)), length=6)
    assert caught.value.problems[0].code == "M57"


def test_a_prompt_of_another_width_is_refused(prompted: nn.Module, tmp_path: Path) -> None:
    adapter_folder.save(prompted, tmp_path, base="base", task_type="CAUSAL_LM")
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
    with pytest.raises(ModelError) as caught:
        adapter_folder.applied(BertModel(BertConfig(**sizes, vocab_size=50)), tmp_path)
    assert caught.value.problems[0].code == "M21"
