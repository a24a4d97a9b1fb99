"""Which script a text is written in: Latin, Cyrillic, Arabic, Han …"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.texts import over_parts

_LETTERS = {
    **{
        name: rf"\p{{{name}}}" for name in ("Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Devanagari", "Bengali")
    },
    "other Indic": r"\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}",
    **{name: rf"\p{{{name}}}" for name in ("Thai", "Georgian", "Ethiopic", "Hangul")},
    "Kana": r"\p{Hiragana}\p{Katakana}",
    "Han": r"\p{Han}",
}
"""The letters of each script as RE2 writes a class of them."""

SCRIPTS = ("", *_LETTERS)
"""Names by code; "" is a text without letters of any of them."""

_UNKNOWN = 255
_LETTERS_AT_ONCE = 1 << 20

_LATIN, _KANA, _HAN = (SCRIPTS.index(name) for name in ("Latin", "Kana", "Han"))


def scripts_of(texts: pa.ChunkedArray) -> np.ndarray:
    """(n,) uint8: the code in `SCRIPTS` of the script that most letters of each text are in.

    Han counts as Kana in a text that has Kana: Japanese mixes the two.

    >>> [SCRIPTS[code] for code in scripts_of(pa.chunked_array([["fine", "хорошо, ok", "日本語です", "12 %"]]))]
    ['Latin', 'Cyrillic', 'Kana', '']
    """
    return over_parts(texts, _scripts)


def _scripts(part: pa.Array) -> np.ndarray:
    codes = np.where(_matches(part, "[A-Za-z]"), np.uint8(_LATIN), np.uint8(0))
    rows = np.flatnonzero(pc.not_equal(pc.binary_length(part), pc.utf8_length(part)).to_numpy(zero_copy_only=False))
    if len(rows):
        codes[rows] = _most_letters(part.take(pa.array(rows)).to_pylist())
    return codes


def _most_letters(texts: list[str]) -> np.ndarray:
    if len(texts) == 1:  # a part is one long document, or many that are short together
        pieces = range(0, len(texts[0]), _LETTERS_AT_ONCE)
        counts = np.sum([_counted([texts[0][start : start + _LETTERS_AT_ONCE]]) for start in pieces], axis=0)
    else:
        counts = _counted(texts)
    counts[:, _KANA] += np.where(counts[:, _KANA] > 0, counts[:, _HAN], 0)
    counts[:, 0] = 0
    return np.asarray(counts.argmax(axis=1), dtype=np.uint8)


def _counted(texts: list[str]) -> np.ndarray:
    """(texts, scripts): how many letters of each script each text has."""
    points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    n = len(SCRIPTS)
    return np.bincount(owner * np.int32(n) + _script_of(points), minlength=len(texts) * n).reshape(len(texts), n)


def _script_of(points: np.ndarray) -> np.ndarray:
    """(n,) uint8: the script of each code point. RE2 knows it; it is asked once for each 256 neighbours that occur."""
    table = _table()
    codes = table[points]
    if not (strange := codes == _UNKNOWN).any():
        return codes
    for block in np.unique(points[strange] >> 8).tolist():
        neighbours = slice(block << 8, (block + 1) << 8)
        letters = pa.array([chr(point) for point in range(block << 8, (block + 1) << 8)])
        found = np.zeros(len(letters), dtype=np.uint8)
        for code, of_script in enumerate(_LETTERS.values(), start=1):
            found[_matches(letters, f"[{of_script}]")] = code
        table[neighbours] = found  # whole, as another thread may read it
    return table[points]


@cache
def _table() -> np.ndarray:
    return np.full(0x110000, _UNKNOWN, dtype=np.uint8)


def _matches(texts: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
