"""One sequence on its way through an engine: what waits for its turn, and to whom its tokens go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.engine import Item, Prompt, TokenStream, deliver


@dataclass(slots=True, eq=False)
class Job:
    """A prompt, and its place in the stream of its request; `number` is its own in this process."""

    prompt: Prompt
    stream: TokenStream
    index: int
    number: int = field(default_factory=count().__next__)
    gone: bool = False  # nobody wants it any more

    @property
    def size(self) -> int:
        """The tokens that it reads and may write."""
        return len(self.prompt.ids) + self.prompt.sampling.max_new_tokens


def begin(
    prompts: Sequence[Prompt], deadline_s: float, forget: Callable[[Job], None]
) -> tuple[TokenStream, list[Job]]:
    """The sequences of one request, and their stream; `forget` is told of those nobody wants any more."""
    jobs: list[Job] = []
    stream = TokenStream(len(prompts), deadline_s=deadline_s, on_stop=lambda index: forget(jobs[index]))
    jobs += [Job(prompt, stream, index) for index, prompt in enumerate(prompts)]
    return stream, jobs


def tell(items: Iterable[tuple[Job, Item | TunesmithError]]) -> None:
    """Give each job its token, reading or error, from any thread."""
    deliver((job.stream, job.index, item) for job, item in items)
