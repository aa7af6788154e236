"""tunesmith demo: the whole loop on the built-in sample, without a network."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from tunesmith.cli.output import Output
from tunesmith.core import text
from tunesmith.core.workspace import NAME, Workspace


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Where to put everything."""
    parser.add_argument(
        "--folder", type=Path, default=Path("tunesmith-demo"), help=text.say("cli.option_folder", lang)
    )


def run(given: argparse.Namespace, output: Output) -> int:
    """Write the sample, carry out its recipes, serve and ask the models, say what to do next."""
    from tunesmith.workflow import demo

    began = time.monotonic()
    folder: Path = given.folder
    workspace = output.workspace if given.workspace else Workspace(folder.absolute() / NAME, output.store)
    planted = demo.write(folder, output.lang)
    said = ", ".join(f"{output.say(f'planted_{name}')} {count}" for name, count in planted.items())
    output.line(output.say("demo_sample", folder=folder, planted=said))
    results = [_carry_out(folder / name, workspace, output) for name in demo.RECIPES]
    answers = _ask([result["release"].split("@")[0] for result in results], workspace, output)
    seconds = time.monotonic() - began
    output.data({"folder": str(folder), "runs": results, "answers": answers, "seconds": round(seconds, 1)})
    output.line(output.say("demo_done", seconds=f"{seconds:.0f}"))
    command = _command()
    for key in ("demo_next_report", "demo_next_ask", "demo_next_serve", "demo_next_own"):
        page = Path(results[0]["path"]) / "report.html"
        output.line(
            "  " + output.say(key, command=command, workspace=_shown(workspace.root), page=_shown(page))
        )
    return 0


def _command() -> str:
    """How to call this program again from here."""
    return "tunesmith" if shutil.which("tunesmith") else _shown(Path(sys.argv[0]).absolute())


def _shown(path: Path) -> str:
    """A path as short as can be."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _carry_out(recipe: Path, workspace: Workspace, output: Output) -> dict[str, Any]:
    from tunesmith.cli.progress import follow
    from tunesmith.cli.run_verb import show_result, stop_signals
    from tunesmith.workflow import plan as planning
    from tunesmith.workflow import run as running

    output.line()
    output.line(output.say("demo_recipe", recipe=recipe))
    plan = planning.make(recipe, workspace)
    cached = running.is_complete(plan)
    with stop_signals() as stop:
        follow(running.events(plan, stop=stop, lang=output.lang), output)
    result = running.finished(plan)
    show_result(result, output, cached=cached)
    return result


def _ask(names: list[str], workspace: Workspace, output: Output) -> list[dict[str, str]]:
    from tunesmith.serve.client import Client
    from tunesmith.workflow import demo

    answers: list[dict[str, str]] = []
    with demo.serving(names, workspace) as url, Client(url) as client:
        output.line()
        output.line(output.say("demo_serving", url=url))
        for name in names:
            for question in demo.QUESTIONS[name]:
                answer = _answer(client, name, question)
                answers.append({"model": name, "question": question, "answer": answer})
                output.line(f"  {name}\n    {question}\n    → {answer}")
    return answers


def _answer(client: Any, name: str, question: str) -> str:
    if name.startswith("support-topic"):
        found = client.classify(question, model=name)[0]
        return f"{found['label']} ({found['probability']:.0%})"
    answer: str = client.chat(question, model=name)
    return answer.strip()
