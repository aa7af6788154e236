"""A model with a learned prompt before its texts answers over HTTP as when it reads everything anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import torch

from tunesmith.models import soft_prompt
from tunesmith.models.language import LanguageModel, prompt_ids
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.serve.deployment import deploy
from tunesmith.serve.names import Computing
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.server import serving

TEXT = "Once upon a time there was a little girl who"


def test_it_is_computed_by_torch_and_its_prompt_counts(shared_data: Path) -> None:
    model = load(Resolved(name="prompted", folder=shared_data / "weights" / "stories260K-hf"))
    assert isinstance(model, LanguageModel)
    plain = model.generate(TEXT, max_new_tokens=12, temperature=0.0)
    torch.manual_seed(0)
    soft_prompt.add(model.module, length=6)
    prompt = soft_prompt.of(model.module)
    assert prompt is not None
    torch.nn.init.normal_(prompt.vectors)
    ids = prompt_ids(model.tokenizer, TEXT)
    written: list[int] = []
    with torch.inference_mode():
        for _ in range(12):
            logits = model.module(input_ids=torch.tensor([[*ids, *written]]), use_cache=False).logits
            written.append(int(logits[0, -1].argmax()))
    served = deploy(replace(model, digest="any"), computing=Computing())
    assert isinstance(served, TextDeployment)
    assert served.computed == "torch"
    asked = {"model": "prompted", "prompt": TEXT, "max_tokens": 12, "temperature": 0}
    with serving([served]) as url:
        answer = httpx.post(f"{url}/v1/completions", json=asked, timeout=60).raise_for_status().json()
    said = answer["choices"][0]["text"]
    assert said == model.tokenizer.decode([*ids, *written])[len(model.tokenizer.decode(ids)) :]
    assert said != plain
