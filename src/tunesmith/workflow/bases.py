"""Which models to be served are adapters of one base, which is then loaded once for all of them.

The base counts too when it is served by itself. An adapter alone is folded into its base: that is quicker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.models import adapter_config, card
from tunesmith.models.adapter_config import CONFIG, shared_base
from tunesmith.models.resolve import Resolved, weights_digest
from tunesmith.serve.names import Computing
from tunesmith.serve.served import Deployment
from tunesmith.serve.worker.shared import SharedBase


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """A model by the sha256 of its weights; `name` and `folder` are as its adapters state them."""

    digest: str
    name: str
    folder: Path


class Bases:
    """The bases that several of the models `found` share, and the processes that compute them.

    `apart` are adapters that share none whatever is served beside them, with their kind.
    """

    def __init__(self, found: Sequence[Resolved], computing: Computing) -> None:
        self._computing = computing
        adapters = [base for one in found if (base := _base_of(one))]
        known = {base.digest: base for base in adapters}
        # Digests of whole models take a while and matter only beside adapters.
        bare = [one.folder for one in found if known and one.folder and not (one.folder / CONFIG).exists()]
        digests = {folder: weights_digest(folder) for folder in bare}
        counts = Counter([base.digest for base in adapters] + [d for d in digests.values() if d in known])
        self._shared = {digest: base for digest, base in known.items() if counts[digest] > 1}
        self._bare = {folder: digest for folder, digest in digests.items() if digest in self._shared}
        self._processes: dict[str, SharedBase] = {}
        self.apart = dict(_apart(found)) if len(found) > 1 else {}

    def deploy(self, resolved: Resolved, name: str, aliases: Sequence[str]) -> Deployment | None:
        """Serve a model out of the process of its base; None when it shares none.

        Raises:
            TunesmithError: what `SharedBase.deploy` raises.
        """
        base = _base_of(resolved)
        digest = base.digest if base else self._bare.get(resolved.folder or Path())
        if resolved.folder is None or digest not in self._shared:
            return None
        process = self._process(self._shared[digest])
        try:
            return process.deploy(resolved.folder if base else process.folder, name=name, aliases=aliases)
        except BaseException:
            process.close_if_unused()
            raise

    def _process(self, base: _Base) -> SharedBase:
        known = self._processes.get(base.digest)
        if known is None or known.closed:
            known = self._processes[base.digest] = SharedBase(
                base.folder, name=base.name, computing=self._computing
            )
        return known


def _apart(found: Sequence[Resolved]) -> Iterator[tuple[str, str]]:
    """The language models that are adapters and have to be folded in, with their kind."""
    for one in found:
        kind = adapter_config.kind(one.folder) if one.folder else None
        if one.folder and kind and card.read(one.folder).kind == "language" and _base_of(one) is None:
            yield one.name, kind


def _base_of(resolved: Resolved) -> _Base | None:
    """The base of an adapter that can be computed beside others."""
    base = shared_base(resolved.folder) if resolved.folder else None
    return _Base(digest=base.weights, name=base.name, folder=Path(base.folder)) if base else None
