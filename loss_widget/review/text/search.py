"""Which texts hold what is searched for: whole blocks of rows are asked first, and single rows only where a block says yes."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.texts import letters_of, over_parts
from loss_widget.errors import InputError

_BLOCK = 32  # rows: a call of RE2 costs as much as reading some 300 bytes
_PART = 4 << 20  # bytes that one thread works on at once
_FULL = 0.5  # share of blocks with a hit from which on every row is asked
_FIRST = 16  # blocks that tell it beforehand
_DEAREST = 1.0  # what looking for a part of the search may cost; asking all blocks for the whole of it is about as dear
_JUMPS = 5  # how dear it is to stop at a first letter, by its share of all letters; 2 to 12 were measured as good
_SAMPLE = 8_192  # bytes that tell how frequent each letter is
_FOLDED = {ord("s"): r"(?:s|\xe5\xbf)", ord("k"): r"(?:k|\xe2\xa4\xaa)"}  # or ſ and the Kelvin sign, with that bit set


def find(texts: pa.ChunkedArray | pa.Array, search: str, *, regex: bool = False) -> np.ndarray:
    """(n,) bool: the texts that hold `search`, case aside, or with `regex` match that RE2 pattern; `InputError` if it is none."""
    if not regex:
        return over_parts(texts, lambda part: _holds(part, search), rows=None, size=_PART)
    try:
        return over_parts(texts, lambda part: _matches(part, search), rows=None, size=_PART)
    except pa.ArrowInvalid as error:
        raise InputError(f"Expected a regular expression that RE2 can read, found {search!r}: {error}") from error


def _matches(part: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(part, pattern, ignore_case=True).to_numpy(zero_copy_only=False)


def _holds(part: pa.Array, search: str) -> np.ndarray:
    if not len(part):
        return np.zeros(0, dtype=bool)
    ends, letters = letters_of(part)
    edges = np.append(ends[:-1:_BLOCK], ends[-1]).astype(np.int64)
    if _ask(_texts(pa.large_string(), edges[: _FIRST + 1], letters), search).mean() > _FULL:
        return _ask(part, search)
    hits = np.repeat(_may_hold(edges, letters, search), _BLOCK)[: len(part)]
    rows = np.flatnonzero(hits)
    hits[rows] = _ask(part.take(pa.array(rows)), search)
    return hits


def _ask(texts: pa.Array, search: str) -> np.ndarray:
    return pc.match_substring(texts, search, ignore_case=True).to_numpy(zero_copy_only=False)


def _may_hold(edges: np.ndarray, letters: np.ndarray, search: str) -> np.ndarray:
    """(blocks,) bool: where to look.

    RE2 finds letters in one case at 3 to 10 GB/s, in either at 1. So the bit that tells the cases of ASCII is set in a copy of
    the letters and in a part of the search, and that is looked for there: it finds too much, as `{` for `[`, and nothing less.
    """
    bit = np.uint8(0x20 if any(map(_cased, search)) else 0)
    pattern = _telling(search, letters, bit, len(letters) / (len(edges) - 1))
    if pattern is None:
        return _ask(_texts(pa.large_string(), edges, letters), search)
    blocks = _texts(pa.large_binary(), edges, letters | bit if bit else letters)
    return pc.match_substring_regex(blocks, pattern).to_numpy(zero_copy_only=False)


def _texts(kind: pa.DataType, edges: np.ndarray, letters: np.ndarray) -> pa.Array:
    """The letters between the edges, each as one text; nothing is copied."""
    return pa.Array.from_buffers(kind, len(edges) - 1, [None, pa.py_buffer(edges), pa.py_buffer(letters)])


def _telling(search: str, letters: np.ndarray, bit: np.uint8, bytes_a_block: float) -> str | None:
    """The cheapest part of the search, as a pattern of bytes with `bit` set; `None` where the whole of it is no dearer.

    RE2 jumps from one first letter to the next, so that a rare one is cheap; none of them is `s` or `k`, of three cases each.
    The blocks that hold a part are asked again. Letters go together: so the root of the chance that they would have one by one.
    """
    counts = np.bincount(letters[:_SAMPLE] | bit, minlength=256) + 1
    rate = counts / counts.sum()
    parts = [(_DEAREST, b"")]
    for plain, stretch in groupby(search, lambda letter: letter.isascii() or not _cased(letter)):
        folded = bytes(np.frombuffer("".join(stretch).encode(), dtype=np.uint8) | bit) if plain else b""
        chance = np.sqrt(bytes_a_block * np.cumprod(rate[list(folded[::-1])])[::-1])
        parts += [(_JUMPS * rate[first] + chance[i], folded[i:]) for i, first in enumerate(folded) if first not in _FOLDED]
    return "".join(_FOLDED.get(byte, f"\\x{byte:02x}") for byte in min(parts)[1]) or None


def _cased(letter: str) -> bool:
    """Whether it may have another case; also where this Python does not know the character."""
    return letter.upper() != letter.lower() or not letter.isprintable()
