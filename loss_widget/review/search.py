"""Which texts hold what is searched for: whole blocks of rows are asked first, and single rows only where a block says yes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.errors import InputError
from loss_widget.review.texts import letters_of, over_parts

_BLOCK = 32  # rows: a call of RE2 costs as much as reading some 300 bytes
_PART = 640 * _BLOCK
_TELLING = 2  # characters that a part without case must have to be looked for by itself
_TELLING_PLAIN = 6
_NOT_PLAIN = re.compile(r"[kKsS]|[^\x00-\x7f]")
_FULL = 0.5  # share of blocks with a hit from which on every row is asked


def find(texts: pa.ChunkedArray | pa.Array, search: str, *, regex: bool = False) -> np.ndarray:
    """(n,) bool: the texts that hold `search`, case aside, or with `regex` match that RE2 pattern; `InputError` if it is none."""
    if not regex:
        return over_parts(texts, lambda part: _holds(part, search), rows=_PART)
    try:
        return over_parts(texts, lambda part: _matches(part, search), rows=_PART)
    except pa.ArrowInvalid as error:
        raise InputError(f"Expected a regular expression that RE2 can read, found {search!r}: {error}") from error


def _matches(part: pa.Array, pattern: str) -> np.ndarray:
    return pc.match_substring_regex(part, pattern, ignore_case=True).to_numpy(zero_copy_only=False)


def _holds(part: pa.Array, search: str) -> np.ndarray:
    if not len(part):
        return np.zeros(0, dtype=bool)
    hit_blocks = _may_hold(_blocks_of(part), search)
    if hit_blocks.mean() > _FULL:
        return _ask(part, search)
    hits = np.repeat(hit_blocks, _BLOCK)[: len(part)]
    rows = np.flatnonzero(hits)
    hits[rows] = _ask(part.take(pa.array(rows)), search)
    return hits


def _may_hold(blocks: pa.Array, search: str) -> np.ndarray:
    """(n,) bool: the blocks to look into, by the part of the search that RE2 finds fastest.

    What has no other case, as digits and 日本, it finds three times as fast; what is ASCII without s and k, twice as fast: their
    other cases, ſ and the Kelvin sign, are not.
    """
    caseless = _longest("".join(letters).strip() for cased, letters in groupby(search, _cased) if not cased)
    if len(caseless) >= _TELLING:
        return pc.match_substring_regex(blocks, re.escape(caseless)).to_numpy(zero_copy_only=False)
    plain = _longest(_NOT_PLAIN.split(search))
    return _ask(blocks, plain if len(plain.strip()) >= _TELLING_PLAIN else search)


def _longest(parts: Iterable[str]) -> str:
    return max(parts, key=len, default="")


def _cased(letter: str) -> bool:
    """Whether it may have another case; also where this Python does not know the character."""
    return letter.upper() != letter.lower() or not letter.isprintable()


def _ask(texts: pa.Array, search: str) -> np.ndarray:
    return pc.match_substring(texts, search, ignore_case=True).to_numpy(zero_copy_only=False)


def _blocks_of(part: pa.Array) -> pa.Array:
    """The same letters, each block of rows as one text; nothing is copied."""
    ends, letters = letters_of(part)
    edges = np.append(ends[:-1:_BLOCK], ends[-1]).astype(np.int64)
    return pa.Array.from_buffers(pa.large_string(), len(edges) - 1, [None, pa.py_buffer(edges), pa.py_buffer(letters)])
