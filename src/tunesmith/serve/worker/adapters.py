"""The adapters in the process of a base: each with the tokenizer that answers in forms are made with."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from tunesmith.core.errors import ModelError
from tunesmith.models import card
from tunesmith.models import tokenizer as tokenizing
from tunesmith.models.sampling import Sampling
from tunesmith.serve.batch_engine import BatchEngine
from tunesmith.serve.engine import Prompt, TokenStream
from tunesmith.serve.served import Deployment


class Adapters:
    """Adapters on a model whose weights have this digest, by name."""

    def __init__(self, deployment: Deployment, digest: str) -> None:
        self._deployment = deployment
        self._digest = digest
        self.tokenizers: dict[str, Tokenizer] = {}

    def read(self, name: str, folder: Path) -> None:
        """Read an adapter from its folder, in any thread. What is asked next can have it.

        Raises:
            ModelError: M14 when the model takes none, S62 when this one is of another base, M21 when it does
                not fit.
        """
        engine = self._engine()
        base = card.read(folder).base
        if base is None or base.weights != self._digest:
            stated = base.name if base else "?"
            raise ModelError("S62", file=folder, stated=stated, base=self._deployment.name)
        tokenizer = tokenizing.load(folder)
        engine.bank.add(name, folder)
        self.tokenizers[name] = tokenizer

    def try_out(self, name: str) -> TokenStream:
        """Have an adapter write a token."""
        return self._engine().submit([Prompt([0], Sampling(max_new_tokens=1), adapter=name)])

    def remove(self, name: str) -> None:
        """Take an adapter out."""
        self.tokenizers.pop(name, None)
        self._engine().bank.remove(name)

    def _engine(self) -> BatchEngine:
        engine = self._deployment.engine
        if not isinstance(engine, BatchEngine):
            raise ModelError("M14", name=self._deployment.name, wanted="lora", task=self._deployment.task)
        return engine
