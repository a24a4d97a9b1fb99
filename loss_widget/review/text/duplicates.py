"""Rows that say the same: the same text, or the same words but for case, spacing and sentence punctuation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loss_widget.data.texts import letters_of, over_parts, take

_PUNCTUATION = re.compile("[.,;!?'\"`´‘’“”«»…–—。，！？；、-]+")
_BYTES_AT_ONCE = 8 << 20
_LETTERS_AT_ONCE = 1 << 20
_WEIGHTS = np.random.default_rng(0).integers(1, 2**63, 256, dtype=np.uint64)
# Nothing that `words_of` drops or changes may weigh, or two texts of the same words could get different sums. Beyond ASCII
# nothing does; "İ" and the Kelvin sign become i and k in lower case, so these two letters cannot weigh either.
_WEIGHTS[ord("A") : ord("Z") + 1] = _WEIGHTS[ord("a") : ord("z") + 1]
_WEIGHTS[[ord(c) for c in map(chr, range(128)) if c.isspace() or _PUNCTUATION.match(c) or c in "iIkK"]] = 0
_WEIGHTS[128:] = 0


def words_of(text: str) -> str:
    """The words of a text as they are compared: lower case, single spaces, no sentence punctuation (":(" stays).

    >>> words_of("Fine,  I GUESS…"), words_of(" ?! ")
    ('fine i guess', '?!')
    """
    lower = text.lower()
    return " ".join(_PUNCTUATION.sub(" ", lower).split()) or lower.strip()


def same_text(keys: np.ndarray) -> np.ndarray:
    """(n,) int32: for each row the first row of the same text; `keys` (n,) are content keys."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first.astype(np.int32)[inverse]


def same_words(words: Sequence[pa.ChunkedArray], first: np.ndarray) -> np.ndarray:
    """(n,) int32: for each row the first row of the same words, in every column of them. `first` (n,) is `same_text` of the rows.

    Equal words weigh the same, letter by letter, so only rows whose weights agree are read as words.
    """
    groups = np.arange(len(first), dtype=np.int32)
    alike = np.flatnonzero(first == groups)
    if not words:
        return groups[first]
    for weigh in (_weigh_letters, _weigh_order):
        if not len(alike):
            break
        alike = alike[_repeated(_weights(words, alike, weigh))]
    known: dict[bytes, int] = {}
    for rows in _parts(words, alike):
        read = zip(*([words_of(text) for text in take(column, rows).to_pylist()] for column in words), strict=True)
        groups[rows] = [known.setdefault(_digest(said), row) for said, row in zip(read, rows.tolist(), strict=True)]
    return groups[first]


def _weights(words: Sequence[pa.ChunkedArray], rows: np.ndarray, weigh: Callable[[pa.Array], np.ndarray]) -> np.ndarray:
    """(len(rows),) uint64: the weight of each row's words, in all columns."""
    weights = np.zeros(len(rows), dtype=np.uint64)
    for column in words:
        weights = weights * np.uint64(3) + _weights_of(column, rows, weigh)
    return weights


def _weights_of(texts: pa.ChunkedArray, rows: np.ndarray, weigh: Callable[[pa.Array], np.ndarray]) -> np.ndarray:
    if len(rows) == len(texts):
        return over_parts(texts, weigh)
    return np.concatenate([over_parts(take(texts, part), weigh) for part in _parts([texts], rows)])


def _weigh_letters(part: pa.Array) -> np.ndarray:
    """The sum of the letters' weights: the same for all orders of them."""
    ends, letters = letters_of(part)
    if len(part) == 1:
        return np.array([sum(int(_WEIGHTS[piece].sum()) for piece in _pieces(letters)) % 2**64], dtype=np.uint64)
    sums = np.add.reduceat(np.append(_WEIGHTS[letters], np.uint64(0)), ends[:-1])
    return np.where(ends[1:] > ends[:-1], sums, np.uint64(0))


def _weigh_order(part: pa.Array) -> np.ndarray:
    """The sum of each letter's weight times its place among the letters that weigh."""
    ends, letters = letters_of(part)
    if len(part) == 1:
        total = before = 0
        for piece in _pieces(letters):
            weights = _WEIGHTS[piece]
            place = np.cumsum(weights != 0, dtype=np.uint64) + np.uint64(before)
            total, before = total + int((weights * place).sum()), int(place[-1])
        return np.array([total % 2**64], dtype=np.uint64)
    weights = np.append(np.uint64(0), _WEIGHTS[letters])
    place = np.cumsum(weights != 0, dtype=np.uint64)
    sums, moments = np.cumsum(weights), np.cumsum(weights * place)
    begin, end = ends[:-1], ends[1:]
    return moments[end] - moments[begin] - place[begin] * (sums[end] - sums[begin])


def _pieces(letters: np.ndarray) -> Iterator[np.ndarray]:
    """A long document in pieces, so that what is computed of it takes no more memory than of short texts."""
    return (letters[start : start + _LETTERS_AT_ONCE] for start in range(0, len(letters), _LETTERS_AT_ONCE))


def _repeated(weights: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(weights, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)


def _parts(words: Sequence[pa.ChunkedArray], rows: np.ndarray) -> Iterator[np.ndarray]:
    """So few rows at once that their texts take little memory."""
    sizes = np.cumsum(sum(pc.binary_length(column).to_numpy() for column in words)[rows])
    edges = np.arange(_BYTES_AT_ONCE, sizes[-1] if len(rows) else 0, _BYTES_AT_ONCE)
    yield from (part for part in np.split(rows, np.searchsorted(sizes, edges)) if len(part))


def _digest(said: tuple[str, ...]) -> bytes:
    return hashlib.blake2b("\0".join(said).encode(), digest_size=16).digest()
