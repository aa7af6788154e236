"""Our engine without HTTP: python -m servers.engine_alone MODEL ENGINE LOAD; tokens per second.

ENGINE and LOAD are JSON. The engine is asked for the same prompts and as many tokens, by as many clients, as
`tunesmith.serve.load` asks for over HTTP; each client asks again as soon as it is answered.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.deployment import deploy, deploy_kept
from tunesmith.serve.engine import Prompt
from tunesmith.serve.load import Load, prompt
from tunesmith.serve.names import Computing
from tunesmith.serve.planning import plan
from tunesmith.serve.schemas import ChatRequest
from tunesmith.serve.served import TextDeployment


def main() -> None:
    """Load, then measure."""
    folder, wished, asked = Path(sys.argv[1]), json.loads(sys.argv[2]), Load(**json.loads(sys.argv[3]))
    served = _served(folder, Computing(**wished))
    asyncio.run(_measured(served, Load(clients=2, seconds=0.1, words=asked.words, tokens=8)))
    print(json.dumps({"tokens_per_second": asyncio.run(_measured(served, asked))}))
    served.engine.close()


def _served(folder: Path, wished: Computing) -> TextDeployment:
    if found := deploy_kept(folder, name=folder.name, limits=Limits(), computing=wished):
        return found[0]
    made: Any = deploy(load(Resolved(name=folder.name, folder=folder)), computing=wished)
    return made  # type: ignore[no-any-return]


async def _measured(served: TextDeployment, asked: Load) -> float:
    start, tokens = time.perf_counter(), 0

    async def client(number: int) -> None:
        nonlocal tokens
        words = random.Random(number)
        while time.perf_counter() - start < asked.seconds:
            body = {"model": served.name, "messages": [{"role": "user", "content": prompt(words, asked)}]}
            ids = plan(served, ChatRequest.model_validate(body)).ids
            stops = served.contract.stop_ids
            sampling = Sampling(max_new_tokens=asked.tokens, temperature=1.0, seed=number, stop_ids=stops)
            async for _ in served.engine.submit([Prompt(ids, sampling)]):
                tokens += 1

    await asyncio.gather(*(client(number) for number in range(asked.clients)))
    return tokens / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
