"""FastAPI around a pipeline of transformers, as many write it: python pipeline_server.py MODEL PORT"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from transformers import pipeline

app = FastAPI()
classify_text = pipeline("text-classification", model=sys.argv[1], top_k=None)


@app.get("/health")
def health() -> dict[str, str]:
    """It has begun."""
    return {"status": "ok"}


@app.post("/v1/classify")
def classify(body: dict[str, Any]) -> list[Any]:
    """Labels with their probabilities."""
    found: list[Any] = classify_text(body["input"], truncation=True)
    return found


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error")
