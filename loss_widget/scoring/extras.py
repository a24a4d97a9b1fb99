"""What judging needs and a bare `pip install loss-widget` does not bring."""

from __future__ import annotations

import importlib.util

from loss_widget.errors import MissingPackage, listing


def need(*packages: str, extra: str = "score") -> None:
    """`MissingPackage` names the extra to install, where one of the packages (by import name) is not there."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingPackage(
            f"Judging labels needs {listing(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed here: "
            f"`pip install 'loss-widget[{extra}]'`. Reviewing scores or probabilities that you have works without."
        )
