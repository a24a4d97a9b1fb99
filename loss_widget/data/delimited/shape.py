"""Where quotes, delimiters and line ends stand in a delimited file."""

from __future__ import annotations

import re

import numpy as np

from loss_widget.data.delimited.format import Format

_QUOTE, _LF, _CR = 34, 10, 13


class Shape:
    """Where they stand, as positions of bytes; what a quote means is only known where `quotes_are_whole`."""

    def __init__(self, data: bytes, delimiter: str) -> None:
        self._data = data
        self._delimiter = delimiter.encode()
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        self.quotes = np.flatnonzero(self._bytes == _QUOTE)
        ends = np.flatnonzero(self._bytes == _LF)
        returns = np.flatnonzero(self._bytes == _CR)
        self.end = "\r" if len(returns) and not len(ends) else "\n"
        self.line_ends = returns if self.end == "\r" else ends
        inside = np.searchsorted(self.quotes, self.line_ends) % 2 == 1
        self.inner_ends, self.record_ends = self.line_ends[inside], self.line_ends[~inside]

    @property
    def newline(self) -> str | None:
        """How most records end; None where there is one."""
        ends = self.record_ends if self.quotes_are_whole else self.line_ends
        if not len(ends) or self.end == "\r":
            return self.end if len(ends) else None
        with_return = (self._bytes[ends[ends > 0] - 1] == _CR).sum()
        return "\r\n" if with_return * 2 > len(ends) else "\n"

    @property
    def lone_returns(self) -> bool:
        """Whether a carriage return that ends no line stands outside of quotes."""
        if self.end == "\r":
            return False
        at = np.flatnonzero(self._bytes == _CR)
        after = np.append(self._bytes, np.uint8(_LF))[at + 1]
        outside = np.searchsorted(self.quotes, at) % 2 == 0 if self.quotes_are_whole else True
        return bool(((after != _LF) & outside).any())

    @property
    def quotes_are_whole(self) -> bool:
        """Whether every quote opens a field, closes it, or is doubled within one."""
        at = self.quotes
        if not len(at):
            return True
        if len(at) % 2 or len(self._delimiter) > 1:
            return False
        edges = (self._delimiter[0], _LF, _CR)
        before = np.append(np.uint8(_LF), self._bytes)[at[::2]]
        after = np.append(self._bytes, np.uint8(_LF))[at[1::2] + 1]
        doubled = np.append(False, at[2::2] == at[1:-1:2] + 1)
        opens = np.isin(before, edges) | doubled
        closes = np.isin(after, edges) | np.append(doubled[1:], False)
        return bool(opens.all() and closes.all())

    @property
    def is_strict(self) -> bool:
        """Whether any reader finds the same cells."""
        return self.quotes_are_whole and not self.lone_returns and len(self._delimiter) == 1

    def is_literal(self, form: Format) -> bool:
        """Whether quotes may be characters like any other: every line has as many fields then, and few fields are in quotes."""
        widths = self.delimiters_in_lines()
        if not len(widths) or widths[0] == 0 or (widths != widths[0]).any() or rb"\"" in self._data:
            return False
        edge = rb"(?:^|[\n\r" + re.escape(self._delimiter) + rb"])"
        body = rb"[^\n\r" + re.escape(self._delimiter) + rb"]*"
        begun = len(re.findall(edge + rb'"', self._data))
        closed = len(re.findall(edge + rb'"' + body + rb'"(?=[\n\r' + re.escape(self._delimiter) + rb"]|\Z)", self._data))
        return form.suffix == ".tsv" or closed * 2 <= begun

    def delimiters_in_lines(self) -> np.ndarray:
        """How many delimiters stand in each line that is not blank, whatever quotes say."""
        edges = np.concatenate([[-1], self.line_ends, [len(self._data)]])
        delimiters = np.flatnonzero(self._bytes == self._delimiter[0]) if len(self._delimiter) == 1 else np.empty(0)
        counts = np.diff(np.searchsorted(delimiters, edges))
        lengths = np.diff(edges) - 1
        blank = (lengths == 0) | ((lengths == 1) & (self._bytes[np.minimum(edges[:-1] + 1, len(self._data) - 1)] == _CR))
        return counts[~blank]

    def quoted(self, rows: int, columns: int) -> np.ndarray | None:
        """(rows, columns) bool: the fields that stand in quotes; None where that is unknown, as beside blank lines."""
        if not len(self.quotes):
            return np.zeros((rows, columns), dtype=bool)
        delimiters = np.flatnonzero(self._bytes == self._delimiter[0])
        outer = delimiters[np.searchsorted(self.quotes, delimiters) % 2 == 0]
        ends = np.sort(np.concatenate([outer, self.record_ends]))
        if len(ends) + 1 != rows * columns:
            return None
        opening = self.quotes[::2]
        opening = opening[np.append(True, opening[1:] != self.quotes[1:-1:2] + 1)]
        flags = np.zeros(rows * columns, dtype=bool)
        flags[np.searchsorted(ends, opening)] = True
        return flags.reshape(rows, columns)

    def spread_records(self) -> list[tuple[int, str]]:
        """The records that stand on several lines, as they are in the file, each with the number of its first line."""
        starts = np.append(0, self.record_ends + 1)
        stops = np.append(self.record_ends, len(self._data))
        numbers = np.unique(np.searchsorted(self.record_ends, self.inner_ends)).tolist()
        return [(int(np.searchsorted(self.line_ends, starts[i])), self._data[starts[i] : stops[i]].decode()) for i in numbers]
