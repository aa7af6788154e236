"""Sequences that a server of vLLM continues. It batches them itself; here is only how many there may be."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence

import httpx

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits
from tunesmith.serve.engine import Prompt, Stats, TokenStream
from tunesmith.serve.job import Job, begin, tell
from tunesmith.serve.vllm import wire
from tunesmith.serve.vllm.process import MODEL, VllmProcess

logger = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(None, connect=5)  # deadlines are those of streams


class VllmEngine:
    """See `Engine`. Close it to end its process."""

    def __init__(self, process: VllmProcess, limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._client: httpx.AsyncClient | None = None

    def submit(self, prompts: Sequence[Prompt]) -> TokenStream:
        """Begin the sequences of one request; see `Engine.submit`.

        Raises:
            UsageError: S54 for what is not asked of vLLM.
            TunesmithError: S48 while it is started again.
        """
        wishes = [wire.asked(prompt, MODEL) for prompt in prompts]
        if not self._process.up:
            raise TunesmithError("S48")
        waiting = len(self._running) - self._limits.batch
        if waiting > 0 and waiting + len(prompts) > self._limits.queue_requests:
            raise TunesmithError("S03", waiting=waiting)
        stream, jobs = begin(prompts, self._limits.deadline_s, self._forget)
        for job, wish in zip(jobs, wishes, strict=True):
            self._running[job] = asyncio.get_running_loop().create_task(self._run(job, wish))
        return stream

    def stats(self) -> Stats:
        """What it is doing now."""
        jobs = list(self._running)
        beyond = jobs[self._limits.batch :]
        return Stats(
            running=len(jobs) - len(beyond),
            waiting=len(beyond),
            waiting_size=sum(job.size for job in beyond),
            healthy=self._process.up,
        )

    def close(self) -> None:
        """End the process; whoever still waits gets S07."""
        tell((job, TunesmithError("S07")) for job in list(self._running))
        self._process.close()

    def _forget(self, job: Job) -> None:
        # Its connection is closed, and vLLM gives its place away.
        if task := self._running.pop(job, None):
            task.cancel()

    async def _run(self, job: Job, wish: dict[str, object]) -> None:
        try:
            await self._continued(job, wish)
        except TunesmithError as error:
            job.stream.put(job.index, error)
        except httpx.HTTPError as error:
            logger.error("vLLM was lost: %r", error)
            job.stream.put(job.index, TunesmithError("S48"))
        except Exception:
            logger.exception("what vLLM says is not understood")
            job.stream.put(job.index, TunesmithError("S05"))
        finally:
            self._running.pop(job, None)

    async def _continued(self, job: Job, wish: dict[str, object]) -> None:
        """Hand on what vLLM says, until the last token."""
        headers = {"Authorization": f"Bearer {self._process.key}"}
        url, top = f"{self._process.url}/v1/completions", job.prompt.sampling.logprobs or 0
        async with self._connected().stream("POST", url, json=wish, headers=headers) as answer:
            if answer.status_code != 200:
                logger.error("vLLM refused a request: %s", (await answer.aread())[:1000])
                raise TunesmithError("S05")
            async for line in answer.aiter_lines():
                said = line.removeprefix("data: ")
                if said == line or said == "[DONE]":
                    continue
                for token in wire.tokens(json.loads(said), top):
                    job.stream.put(job.index, token)
                    if token.finish:
                        return
        raise TunesmithError("S48")

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(max_connections=None)
            self._client = httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=False)
        return self._client
