"""Which script a text is written in: Latin, Cyrillic, Arabic, Han …"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.texts import over_parts

# First and last code point of the blocks where a script has its letters (Unicode 16, Blocks.txt).
_BLOCKS = {
    "Latin": [(0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF5A)],
    "Greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "Cyrillic": [(0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)],
    "Armenian": [(0x530, 0x58F)],
    "Hebrew": [(0x590, 0x5FF)],
    "Arabic": [(0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)],
    "Devanagari": [(0x900, 0x97F), (0xA8E0, 0xA8FF)],
    "Bengali": [(0x980, 0x9FF)],
    "other Indic": [(0xA00, 0xDFF)],
    "Thai": [(0xE00, 0xE7F)],
    "Georgian": [(0x10A0, 0x10FF), (0x1C90, 0x1CBF)],
    "Ethiopic": [(0x1200, 0x139F)],
    "Hangul": [(0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)],
    "Kana": [(0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)],
    "Han": [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)],
}
SCRIPTS = ("", *_BLOCKS)
"""Names by code; "" is a text without letters of any of them."""

_LATIN = SCRIPTS.index("Latin")


def scripts_of(texts: pa.ChunkedArray) -> np.ndarray:
    """(n,) uint8: the code in `SCRIPTS` of the script that most letters of each text are in.

    Han counts as Kana in a text that has Kana: Japanese mixes the two.

    >>> [SCRIPTS[code] for code in scripts_of(pa.chunked_array([["fine", "хорошо, ok", "日本語です", "12 %"]]))]
    ['Latin', 'Cyrillic', 'Kana', '']
    """
    return over_parts(texts, _scripts)


def _scripts(part: pa.Array) -> np.ndarray:
    ascii_only = pc.equal(pc.binary_length(part), pc.utf8_length(part)).to_numpy(zero_copy_only=False)
    codes = np.zeros(len(part), dtype=np.uint8)
    plain = pc.match_substring_regex(part, "[A-Za-z]").to_numpy(zero_copy_only=False)
    codes[ascii_only & plain] = _LATIN
    rows = np.flatnonzero(~ascii_only)
    if len(rows):
        codes[rows] = _most_letters(part.take(pa.array(rows)))
    return codes


def _most_letters(texts: pa.Array) -> np.ndarray:
    points = np.frombuffer("".join(texts.to_pylist()).encode("utf-32-le"), dtype="<u4")
    owner = np.repeat(np.arange(len(texts)), pc.utf8_length(texts).to_numpy())
    n = len(SCRIPTS)
    counts = np.bincount(owner * n + _script_of_point()[points], minlength=len(texts) * n).reshape(len(texts), n)
    kana, han = SCRIPTS.index("Kana"), SCRIPTS.index("Han")
    counts[:, kana] += np.where(counts[:, kana] > 0, counts[:, han], 0)
    counts[:, 0] = 0
    return np.asarray(counts.argmax(axis=1), dtype=np.uint8)


@cache
def _script_of_point() -> np.ndarray:
    """(0x110000,) uint8: the script of every code point; signs inside the blocks count with their letters."""
    codes = np.zeros(0x110000, dtype=np.uint8)
    for code, blocks in enumerate(_BLOCKS.values(), start=1):
        for first, last in blocks:
            codes[first : last + 1] = code
    codes[[0xD7, 0xF7]] = 0
    return codes
