"""Carries out a recipe in a new process for every line of its input: `recipe<TAB>workspace`.

What takes seconds to import is imported once; the processes are forked from here, and any may be killed.
Says which process it is, and after an empty line how it ended: until then its number is given to no other.
"""

from __future__ import annotations

import os
import sys
import traceback

import sklearn.linear_model
import torch
import transformers.models.bert.modeling_bert
import transformers.models.llama.modeling_llama
import transformers.models.t5.modeling_t5

import tunesmith
import tunesmith.models.loading

PRELOADED = (sklearn.linear_model, torch, transformers.models.bert.modeling_bert, tunesmith.models.loading)


def carry_out(recipe: str, workspace: str) -> int:
    """The exit status of a run."""
    try:
        tunesmith.run(recipe, workspace=workspace)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    while line := sys.stdin.readline():
        recipe, workspace = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            os._exit(carry_out(recipe, workspace))
        print(child, flush=True)
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


main()
