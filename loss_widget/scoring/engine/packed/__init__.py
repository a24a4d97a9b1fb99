"""A classifier read without padding: known architectures, rebuilt from their own weights for scoring only.

anatomy                                  the common description of a classifier
parts ◀ encoders, decoders ◀ families    a transformers model → its anatomy
spans, linears ◀ attention ◀ model       the forward pass over packed tokens
"""

from loss_widget.scoring.engine.packed.anatomy import NotPacked
from loss_widget.scoring.engine.packed.model import PackedModel, bytes_needed

__all__ = ["NotPacked", "PackedModel", "bytes_needed"]
