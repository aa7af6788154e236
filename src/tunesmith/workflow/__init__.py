"""The whole of a recipe, stage by stage: the only part that knows data, models, training, evaluation, serving."""
