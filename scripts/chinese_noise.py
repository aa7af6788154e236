"""Make the tables of Chinese characters that sound or look alike, for the augmenters `homophones` and `glyphs`.

Characters: the 3,755 of the first level of GB 2312, which are the usual ones. Readings: pypinyin 0.55 (MIT),
the first reading of each, without its tone, because people type without tones. Likeness: the characters drawn
at 40 pixels in WenQuanYi Micro Hei, blurred, compared by the cosine of their pixels.

    pip install pypinyin==0.55.0 pillow numpy
    python scripts/chinese_noise.py /usr/share/fonts/truetype/wqy/wqy-microhei.ttc src/tunesmith/data/augmenters
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pypinyin import Style, lazy_pinyin

SIZE, BLUR, LEAST, MOST = 40, 1.5, 0.85, 4


def characters() -> list[str]:
    rows = range(0xB0, 0xD8)
    cells = (bytes([row, cell]) for row in rows for cell in range(0xA1, 0xFF))
    return [one.decode("gb2312", errors="ignore") for one in cells if one.decode("gb2312", errors="ignore")]


def homophones(known: list[str]) -> list[str]:
    groups: dict[str, str] = defaultdict(str)
    for character in known:
        groups[lazy_pinyin(character, style=Style.NORMAL)[0]] += character
    return [group for _, group in sorted(groups.items()) if len(group) > 1]


def drawn(character: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    image = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(image).text((SIZE / 2, SIZE / 2), character, fill=255, font=font, anchor="mm")
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR)), np.float32).ravel()
    pixels = pixels - pixels.mean()
    return pixels / np.linalg.norm(pixels)


def alike(known: list[str], font_file: str) -> list[str]:
    font = ImageFont.truetype(font_file, SIZE - 4)
    pixels = np.stack([drawn(character, font) for character in known])
    likeness = pixels @ pixels.T
    np.fill_diagonal(likeness, 0)
    lines = []
    for at, character in enumerate(known):
        near = [i for i in np.argsort(-likeness[at], kind="stable")[:MOST] if likeness[at, i] >= LEAST]
        if near:
            lines.append(character + "".join(known[i] for i in near))
    return lines


def main(font_file: str, folder: str) -> None:
    known = characters()
    for name, lines in (("homophones", homophones(known)), ("glyphs", alike(known, font_file))):
        (Path(folder) / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
