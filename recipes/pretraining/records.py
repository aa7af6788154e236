"""Records as people and programs keep them, and questions that a record answers."""

from __future__ import annotations

import json

from lexicon import LANGUAGES, Pair, Scene

_FIELDS: dict[str, tuple[tuple[str, Pair], ...]] = {
    "person": (
        ("name", ("name", "姓名")), ("number", ("age", "年龄")), ("city", ("city", "城市")),
        ("person", ("job", "职业")), ("sport", ("sport", "运动")),
    ),
    "order": (
        ("name", ("customer", "客户")), ("thing", ("item", "商品")), ("colour", ("colour", "颜色")),
        ("number", ("count", "数量")), ("price", ("price", "价格")),
    ),
    "trip": (
        ("name", ("traveller", "旅客")), ("city", ("from", "出发地")), ("city2", ("to", "目的地")),
        ("vehicle", ("by", "交通")), ("day", ("day", "日期")), ("hour", ("time", "时间")),
    ),
    "lesson": (
        ("subject", ("subject", "科目")), ("name", ("teacher", "老师")), ("day", ("day", "日期")),
        ("hour", ("time", "时间")), ("number", ("students", "人数")),
    ),
    "weather": (
        ("city", ("city", "城市")), ("day", ("day", "日期")), ("weather", ("weather", "天气")),
        ("number", ("temperature", "气温")),
    ),
}  # fmt: skip
_TITLES = {
    "person": ("Person", "个人信息"), "order": ("Order", "订单"), "trip": ("Trip", "行程"),
    "lesson": ("Lesson", "课程"), "weather": ("Weather", "天气预报"),
}  # fmt: skip


def record(scene: Scene, language: int) -> tuple[str, str, str]:
    """A record as text, a question about one of its fields, and the answer."""
    kind = scene.dice.pick(tuple(_FIELDS))
    fields = {names[language]: scene.value(slot)[language] for slot, names in _FIELDS[kind]}
    key = scene.dice.pick(tuple(fields))
    text = scene.dice.pick((_as_json, _as_lines, _as_form, _as_csv))(_TITLES[kind][language], fields)
    if LANGUAGES[language] == "en":
        return text, f"What is the {key}?", f"The {key} is {fields[key]}."
    return text, f"{key}是什么？", f"{key}是{fields[key]}。"


def _as_json(title: str, fields: dict[str, str]) -> str:
    return json.dumps({key: int(v) if v.isdigit() else v for key, v in fields.items()}, ensure_ascii=False)


def _as_lines(title: str, fields: dict[str, str]) -> str:
    return "\n".join(f"{key}: {value}" for key, value in fields.items())


def _as_form(title: str, fields: dict[str, str]) -> str:
    return f"# {title}\n" + "\n".join(f"- {key} = {value}" for key, value in fields.items())


def _as_csv(title: str, fields: dict[str, str]) -> str:
    return ",".join(fields) + "\n" + ",".join(fields.values())
