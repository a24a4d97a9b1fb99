"""Random classifiers of each family that the packed engine knows, of odd sizes, and their own answers row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import transformers

POSITIONS = 48
PADDING = 1
_COMMON = {
    "vocab_size": 90,
    "num_labels": 5,
    "hidden_size": 30,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 37,
    "max_position_embeddings": POSITIONS,
    "initializer_range": 0.25,
    "pad_token_id": PADDING,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
_FROM_PADDING = {"max_position_embeddings": POSITIONS + PADDING + 1}
_DECODER = {"num_attention_heads": 6, "num_key_value_heads": 2, "hidden_size": 36, "initializer_range": 0.15}
_DISTILBERT = {
    "dim": 30,
    "n_layers": 3,
    "n_heads": 3,
    "hidden_dim": 37,
    "vocab_size": 90,
    "num_labels": 5,
    "max_position_embeddings": POSITIONS,
    "initializer_range": 0.25,
}
_GPT2 = {
    "n_embd": 30,
    "n_layer": 3,
    "n_head": 3,
    "n_inner": 37,
    "n_positions": POSITIONS,
    "vocab_size": 90,
    "num_labels": 5,
    "initializer_range": 0.25,
    "pad_token_id": PADDING,
    "bos_token_id": 0,
    "eos_token_id": 2,
}
_LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("Bert", _COMMON),
    "bert, ReLU": ("Bert", {**_COMMON, "hidden_act": "relu"}),
    "roberta": ("Roberta", {**_COMMON, **_FROM_PADDING, "type_vocab_size": 1}),
    "xlm-roberta": ("XLMRoberta", {**_COMMON, **_FROM_PADDING, "type_vocab_size": 1}),
    "camembert": ("Camembert", {**_COMMON, **_FROM_PADDING, "type_vocab_size": 1}),
    "electra": ("Electra", {**_COMMON, "embedding_size": 13}),
    "electra, wide embeddings": ("Electra", {**_COMMON, "embedding_size": 30}),
    "distilbert": ("DistilBert", _DISTILBERT),
    "mpnet": ("MPNet", {**_COMMON, **_FROM_PADDING}),
    "modernbert": ("ModernBert", {**_COMMON, "local_attention": 8, "num_hidden_layers": 4}),
    "modernbert, local last layer": ("ModernBert", {**_COMMON, "local_attention": 8, "num_hidden_layers": 3}),
    "modernbert, mean": ("ModernBert", {**_COMMON, "local_attention": 8, "classifier_pooling": "mean"}),
    "llama": ("Llama", {**_COMMON, **_DECODER}),
    "llama, no padding token": ("Llama", {**_COMMON, **_DECODER, "pad_token_id": None}),
    "llama 3": ("Llama", {**_COMMON, **_DECODER, "rope_parameters": _LLAMA3, "attention_bias": True, "mlp_bias": True}),
    "mistral": ("Mistral", {**_COMMON, **_DECODER, "sliding_window": None}),
    "mistral, sliding window": ("Mistral", {**_COMMON, **_DECODER, "sliding_window": 5}),
    "qwen2": ("Qwen2", {**_COMMON, **_DECODER}),
    "qwen2, sliding window": (
        "Qwen2",
        {**_COMMON, **_DECODER, "use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1},
    ),
    "qwen3": ("Qwen3", {**_COMMON, **_DECODER, "head_dim": 8}),
    "gpt2": ("GPT2", _GPT2),
}
TAKES_TYPES = {"bert", "bert, ReLU", "electra", "electra, wide embeddings"}


def random_model(kind: str, **config: Any) -> Any:
    """A random classifier of that kind, biases and norms included, in evaluation mode."""
    family, settings = KINDS[kind]
    if family == "ModernBert":
        settings = {**settings, "cls_token_id": 0, "sep_token_id": 2, "norm_bias": True, "hidden_size": 36}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = getattr(transformers, f"{family}Config")(**{**settings, **config})
        model = getattr(transformers, f"{family}ForSequenceClassification")(made)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.endswith("bias") or "norm" in name.lower():
                    parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def random_rows(lengths: list[int], *, seed: int = 0, types: bool = False) -> tuple[list[Any], list[Any] | None]:
    """Token ids a row (padding's id among them, inside and at the end) and, where asked for, segments: a's, then b's."""
    generator = np.random.default_rng(seed)
    rows = [torch.from_numpy(generator.integers(0, 90, length)) for length in lengths]
    for row in rows:
        row[generator.random(len(row)) < 0.08] = PADDING
        if generator.random() < 0.2:
            row[-2:] = PADDING
    segments = [(torch.arange(len(row)) >= generator.integers(0, len(row) + 1)).long() for row in rows]
    return rows, segments if types else None


def own_log_probs(model: Any, rows: list[Any], types: list[Any] | None = None) -> Any:
    """(rows, labels) float32: what the model itself says of each row alone."""
    said = []
    for i, row in enumerate(rows):
        extra = {} if types is None else {"token_type_ids": types[i][None]}
        with torch.no_grad():
            said.append(model(input_ids=row[None], attention_mask=torch.ones_like(row)[None], **extra).logits)
    return torch.log_softmax(torch.cat(said).float(), dim=-1)


def packed_log_probs(packed: Any, rows: list[Any], types: list[Any] | None = None, *, device: str = "cpu") -> Any:
    """(rows, labels) float32: what the packed model says of all rows at once."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
    ids = torch.cat([rows[i] for i in order]).to(device)
    segments = None if types is None else torch.cat([types[i] for i in order]).to(device)
    logits = packed(ids, segments, [len(rows[i]) for i in order])
    assert logits.dtype == torch.float32
    found = torch.empty(logits.shape)
    found[order] = torch.log_softmax(logits, dim=-1).cpu()
    return found
