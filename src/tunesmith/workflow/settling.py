"""What a recipe leaves to its rows and its task: the form of the task, and the loss."""

from __future__ import annotations

from pathlib import Path

from tunesmith.core import components
from tunesmith.core.chosen import From
from tunesmith.core.recipe import Data, Recipe
from tunesmith.tasks.task import Task, Varied


def task_of(name: str, data: Data, base: Path) -> Task:
    """The task called `name`, in the form that suits the rows."""
    task: Task = components.tasks.get(name)()
    if not isinstance(task, Varied):
        return task
    from tunesmith.data.fitting import fitting

    forms = {form.shape: form for form in (task, *task.others())}
    return forms[fitting(data, list(forms), base)]


def settled(recipe: Recipe, task: Task) -> Recipe:
    """The recipe with the loss of the task's form where it names none of its own."""
    usual: Task = components.tasks.get(recipe.task)()
    loss = recipe.train.loss.name
    if loss in task.losses or loss != usual.losses[0]:
        return recipe
    own = From(components.losses).validate(task.losses[0])
    return recipe.model_copy(update={"train": recipe.train.model_copy(update={"loss": own})})
