"""The routes of tasks that are answered at once: scored, tagged, answered from a text, written anew."""

from __future__ import annotations

from fastapi import FastAPI

from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import (
    AnswerDeployment,
    Question,
    RewriteDeployment,
    Rewriting,
    ScoreDeployment,
    ServedTask,
    TagDeployment,
)
from tunesmith.serve.task_answers import (
    Answered,
    Answers,
    Named,
    Scored,
    Scores,
    Tagged,
    Tags,
    Writings,
    Written,
)
from tunesmith.serve.task_schemas import AnswerRequest, RewriteRequest, TextsRequest


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the routes over these models into `app`."""

    @app.post("/v1/score")
    async def score(wishes: TextsRequest) -> Scores:
        """Numbers of texts."""
        deployment = deployments.of(ScoreDeployment, wishes.model)
        found = await deployment.engine.predict(wishes.texts)
        data = [Scored(index=i, score=float(number)) for i, number in enumerate(found)]
        return Scores(model=deployment.name, data=data)

    @app.post("/v1/tag")
    async def tag(wishes: TextsRequest) -> Tags:
        """What is named in texts, with probabilities."""
        deployment = deployments.of(TagDeployment, wishes.model)
        found = await deployment.engine.predict(wishes.texts)
        data = [
            Tagged(index=i, entities=[Named.model_validate(e, from_attributes=True) for e in row])
            for i, row in enumerate(found)
        ]
        return Tags(model=deployment.name, data=data)

    @app.post("/v1/answer")
    async def answer(wishes: AnswerRequest) -> Answers:
        """Answers that stand in texts, with probabilities."""
        deployment = deployments.of(AnswerDeployment, wishes.model)
        asked = [Question(one.question, one.context) for one in wishes.asked]
        found = await deployment.engine.predict(asked)
        data = [
            Answered(index=i, text=a.text, start=a.start, end=a.end, probability=a.probability)
            for i, a in enumerate(found)
        ]
        return Answers(model=deployment.name, data=data)

    @app.post("/v1/translate")
    async def translate(wishes: RewriteRequest) -> Writings:
        """Texts in another language."""
        return await _rewrite(deployments, wishes, "translate")

    @app.post("/v1/summarise")
    async def summarise(wishes: RewriteRequest) -> Writings:
        """Texts made short."""
        return await _rewrite(deployments, wishes, "summarise")


async def _rewrite(deployments: Deployments, wishes: RewriteRequest, task: ServedTask) -> Writings:
    deployment = deployments.of(RewriteDeployment, wishes.model, task)
    asked = [Rewriting(text, wishes.beams, wishes.length_penalty) for text in wishes.texts]
    found = await deployment.engine.predict(asked)
    data = [Written(index=i, text=text) for i, text in enumerate(found)]
    return Writings(model=deployment.name, data=data)
