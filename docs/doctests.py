"""Griffe extension: examples in docstrings (`>>> …`) become code blocks."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\n).+)*", re.MULTILINE)
_DIRECTIVE = re.compile(r"\s+# doctest:.*$", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences each run of lines that begins with `>>>` and ends before an empty line."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(_fenced, obj.docstring.value)


def _fenced(example: re.Match[str]) -> str:
    return f"```pycon\n{_DIRECTIVE.sub('', example.group())}\n```"
