"""Questions with answers that follow from the words: facts, lists, opposites, sums, dates, translations."""

from __future__ import annotations

from lexicon import Pair, Scene, article, many, number, table, words

_KINDS = (
    ("animals", "an animal", "动物"), ("fruits", "a fruit", "水果"), ("vegetables", "a vegetable", "蔬菜"),
    ("vehicles", "a vehicle", "交通工具"), ("plants", "a plant", "植物"), ("drinks", "a drink", "饮料"),
    ("colours", "a colour", "颜色"), ("sports", "a sport", "运动"), ("cities", "a city", "城市"),
    ("subjects", "a school subject", "学科"), ("people", "a job", "职业"),
)  # fmt: skip
_MARKS = ((" plus ", "加"), (" minus ", "减"), (" times ", "乘以"))
_LETTER = (
    "Hello {name}, our meeting is on {day} at {hour} in the {place}. Please bring {a_thing}. See you then!"
)
Answer = tuple[Pair, Pair]


def facts(scene: Scene) -> Answer:
    """A question of general knowledge."""
    english, chinese = scene.dice.pick(table("lexicon", "facts"))
    ask_en, _, say_en = english.partition("/")
    ask_zh, _, say_zh = chinese.partition("/")
    return (ask_en, ask_zh), (say_en, say_zh)


def capitals(scene: Scene) -> Answer:
    """A capital, asked in one of two directions."""
    english, chinese = scene.dice.pick(table("lexicon", "capitals"))
    land_en, _, city_en = english.partition("/")
    land_zh, _, city_zh = chinese.partition("/")
    answer = f"The capital of {land_en} is {city_en}.", f"{land_zh}的首都是{city_zh}。"
    if scene.dice.chance(0.3):
        return (f"{city_en} is the capital of which country?", f"{city_zh}是哪个国家的首都？"), answer
    return (f"What is the capital of {land_en}?", f"{land_zh}的首都是哪里？"), answer


def opposites(scene: Scene) -> Answer:
    """The opposite of a word, from either side."""
    english, chinese = scene.dice.pick(table("lexicon", "opposites"))
    left, right = english.split("/"), chinese.split("/")
    one = scene.dice.number(2)
    asked, said = (left[one], right[one]), (left[1 - one], right[1 - one])
    question = f'What is the opposite of "{asked[0]}"?', f"“{asked[1]}”的反义词是什么？"
    return question, (f'The opposite of "{asked[0]}" is "{said[0]}".', f"“{asked[1]}”的反义词是“{said[1]}”。")


def kinds(scene: Scene) -> Answer:
    """What kind of thing something is."""
    name, kind_en, kind_zh = scene.dice.pick(_KINDS)
    english, chinese = scene.dice.pick(words(name))
    said = english[0].upper() + english[1:]
    unit = "座" if name == "cities" else "种"
    return (f'What is "{english}"?', f"“{chinese}”是什么？"), (
        f"{said} is {kind_en}.",
        f"{chinese}是一{unit}{kind_zh}。",
    )


def lists(scene: Scene) -> Answer:
    """Some members of a kind."""
    name, kind_en, kind_zh = scene.dice.pick(_KINDS)
    count = 3 + scene.dice.number(3)
    chosen = scene.dice.shuffled(words(name))[:count]
    plural_en = {"a city": "cities", "a school subject": "school subjects"}.get(
        kind_en, kind_en.split()[-1] + "s"
    )
    english = ", ".join(word for word, _ in chosen[:-1]) + f" and {chosen[-1][0]}."
    said, unit = number(count), "座" if name == "cities" else "种"
    question = f"Name {said[0]} {plural_en}.", f"说出{said[1]}{unit}{kind_zh}。"
    return question, (english[0].upper() + english[1:], "、".join(word for _, word in chosen) + "。")


def sums(scene: Scene) -> Answer:
    """Arithmetic with small numbers."""
    mark = scene.dice.number(3)
    top = 13 if mark == 2 else 50
    left, right = sorted((scene.dice.number(top), scene.dice.number(top)), reverse=True)
    result = (left + right, left - right, left * right)[mark]
    sign = "+-×"[mark]
    if scene.dice.chance(0.5):
        return (f"{left} {sign} {right} = ?", f"{left}{sign}{right}等于多少？"), (
            f"{left} {sign} {right} = {result}",
            f"{left}{sign}{right}={result}",
        )
    english, chinese = _MARKS[mark]
    question = f"What is {left}{english}{right}?", f"{left}{chinese}{right}是多少？"
    return question, (f"{left}{english}{right} is {result}.", f"{left}{chinese}{right}是{result}。")


def shopping(scene: Scene) -> Answer:
    """A little word problem: so many and so many more."""
    english, chinese = scene.dice.pick(table("lexicon", "fruits"))
    first, second = 2 + scene.dice.number(5), 1 + scene.dice.number(5)
    name, one, two, all_ = (
        scene.value("name"),
        many(english, chinese, first),
        many(english, chinese, second),
        many(english, chinese, first + second),
    )
    question = (
        f"{name[0]} has {one[0]} and buys {two[0]}. How many are there now?",
        f"{name[1]}有{one[1]}，又买了{two[1]}。现在一共有多少？",
    )
    return question, (
        f"{first} + {second} = {first + second}, so {name[0]} has {all_[0]}.",
        f"{first}+{second}={first + second}，所以{name[1]}一共有{all_[1]}。",
    )


def dates(scene: Scene) -> Answer:
    """The day or month after or before another."""
    name = scene.dice.pick(("days", "months"))
    step = scene.dice.pick((1, -1))
    cycle = words(name)
    place = scene.dice.number(len(cycle))
    asked, said = cycle[place], cycle[(place + step) % len(cycle)]
    noun = {"days": ("day", "的后一天", "的前一天"), "months": ("month", "的下一个月", "的上一个月")}[name]
    side, chinese = ("after", noun[1]) if step == 1 else ("before", noun[2])
    question = f"Which {noun[0]} comes {side} {asked[0]}?", f"{asked[1]}{chinese}是什么？"
    return question, (f"{said[0]} comes {side} {asked[0]}.", f"{asked[1]}{chinese}是{said[1]}。")


def colours(scene: Scene) -> Answer:
    """Something said, and asked about."""
    thing, colour, name = scene.value("thing"), scene.value("colour"), scene.value("name")
    question = (
        f"{name[0]} has {article(thing[0])}. It is {colour[0]}. What colour is the {thing[0]}?",
        f"{name[1]}的{thing[1]}是{colour[1]}的。{thing[1]}是什么颜色？",
    )
    return question, (f"The {thing[0]} is {colour[0]}.", f"{thing[1]}是{colour[1]}的。")


def who(scene: Scene) -> Answer:
    """Who did what where, asked of two people."""
    line = scene.fill(
        (
            "{name} {past} at the {place}. {name2} {past2} at the {place2}.",
            "{name}在{place}{act}，{name2}在{place2}{act2}。",
        )
    )
    first = scene.dice.chance(0.5)
    person, place, past, act = (
        scene.value(slot if first else slot + "2") for slot in ("name", "place", "past", "act")
    )
    question = f"{line[0]} What did {person[0]} do?", f"{line[1]}{person[1]}做了什么？"
    return question, (f"{person[0]} {past[0]} at the {place[0]}.", f"{person[1]}在{place[1]}{act[1]}。")


def sentences(scene: Scene) -> Answer:
    """A sentence with a given word."""
    pattern = scene.dice.pick(table("patterns", "sentences"))
    slot = next(
        (
            s
            for s in ("thing", "animal", "place", "city", "person", "name", "drink", "dish")
            if f"{{{s}}}" in pattern[0] or f"{{a_{s}}}" in pattern[0]
        ),
        None,
    )
    line = scene.fill(pattern)
    if slot is None:
        return ("Write a short sentence.", "请写一个短句。"), line
    word = scene.value(slot)
    return (f'Write a sentence with the word "{word[0]}".', f"用“{word[1]}”造一个句子。"), line


def letters(scene: Scene) -> Answer:
    """A short message to somebody."""
    question = scene.fill(
        ("Write a short message to {name} about the meeting on {day}.", "给{name}写一条关于{day}开会的短信。")
    )
    return question, scene.fill(
        (_LETTER,
         "{name}你好，我们{day}{hour}在{place}开会，请带上{a_thing}。到时候见！")
    )  # fmt: skip


def stories(scene: Scene) -> Answer:
    """A very small story on demand."""
    parts = [
        scene.fill(scene.dice.pick(table("patterns", name))) for name in ("openings", "middles", "endings")
    ]
    hero = scene.value("name")
    question = f"Tell me a short story about {hero[0]}.", f"讲一个关于{hero[1]}的小故事。"
    return question, (" ".join(part[0] for part in parts), "".join(part[1] for part in parts))


def sayings(scene: Scene) -> Answer:
    """A proverb, half of it given."""
    english, chinese = scene.dice.pick(table("lexicon", "sayings"))
    return ("Tell me a saying.", "说一句谚语。"), (english, chinese)


ALL = (
    facts, facts, facts, capitals, capitals, opposites, kinds, lists, sums, sums, shopping, dates, colours,
    colours, who, who, sentences, letters, stories, sayings,
)  # fmt: skip


def translation(scene: Scene, language: int) -> tuple[str, str]:
    """A sentence or a word to be translated; asked in the language numbered `language`."""
    if scene.dice.chance(0.25):
        name = scene.dice.pick(
            ("animals", "fruits", "things", "places", "feelings", "people", "colours", "dishes")
        )
        pair = scene.dice.pick(words(name))
    else:
        pair = scene.fill(scene.dice.pick(table("patterns", "sentences")))
    to_chinese = scene.dice.chance(0.5)
    source, target = pair if to_chinese else pair[::-1]
    ask = (
        ("Translate into Chinese: ", "把下面的话翻译成中文：")
        if to_chinese
        else ("Translate into English: ", "把下面的话翻译成英文：")
    )
    return ask[language] + source, target
