"""Random models of many architectures, a few thousand weights each, with tokenizers of their kind; and the plain pass."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

LABELS = ["world", "sport", "business"]
WORDS = (
    "the market fell after the final match and the coach of the team said that shares of the bank rose again while the "
    "minister spoke about elections trade oil goals prices peace talks growth winter games a an in on at to for"
)
TEXTS = [
    "the market fell",
    "the coach of the team said that the final match was the best of the winter games so far and nobody disagreed",
    "peace talks",
    "",
    "shares rose again 3% after trade talks — 🎉 naïve שלום",
    "oil prices and elections, goals and growth: the minister spoke about the bank",
    "goals",
    "a bank in winter",
]
PAIRS = ["it did not", "yes", "", "the minister spoke about trade", "no", "goals", "oil prices rose again and again", "a"]

FAMILIES = [
    "bert",
    "roberta",
    "distilbert",
    "albert",
    "electra",
    "mpnet",
    "modernbert",
    "deberta",
    "bart",
    "xlnet",
    "gpt2",
    "llama",
]
PAIR_FAMILIES = ["bert", "roberta", "albert", "electra", "xlnet"]


@functools.cache
def wordpiece() -> PreTrainedTokenizerFast:
    """BERT's kind: [CLS] a [SEP] b [SEP], segment ids, padding token 0."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = [*special, *letters, *(f"##{c}" for c in letters), *sorted(set(WORDS.split()) - set(letters))]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        model_max_length=128,
    )


@functools.cache
def byte_pairs(kind: str) -> PreTrainedTokenizerFast:
    """Bytes as tokens, the way byte-level BPE begins.

    "roberta": <s> a </s></s> b </s>, padding token 1. "gpt2": nothing around a text, no padding token.
    "llama": <s> a, none either.
    """
    special = {
        "roberta": ["<s>", "<pad>", "</s>", "<unk>"],
        "gpt2": ["<|endoftext|>"],
        "llama": ["<unk>", "<s>", "</s>"],
    }[kind]
    pieces = special + sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, []))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    byte_level = processors.ByteLevel(trim_offsets=False)
    if kind == "roberta":
        around = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
        )
        tokenizer.post_processor = processors.Sequence([byte_level, around])
        names = {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "cls_token": "<s>",
            "sep_token": "</s>",
        }
    elif kind == "llama":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
        )
        names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    else:
        tokenizer.post_processor = byte_level
        names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **names, model_input_names=["input_ids", "attention_mask"], model_max_length=int(1e30)
    )


def tiny(family: str, *, seed: int = 0, labels: list[str] | None = None, **config: Any) -> tuple[Any, Any]:
    """A random sequence classifier of that architecture and its tokenizer."""
    names = LABELS if labels is None else labels
    if family in ("bert", "distilbert", "albert", "electra", "modernbert", "deberta", "xlnet"):
        tokenizer = wordpiece()
    else:
        tokenizer = byte_pairs({"gpt2": "gpt2", "llama": "llama"}.get(family, "roberta"))
    common = {"vocab_size": len(tokenizer), "id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "initializer_range": 0.3,
    }
    if family in ("roberta", "mpnet", "bart"):
        common |= {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    own: dict[str, dict[str, Any]] = {
        "bert": {**sizes, "max_position_embeddings": 128},
        "roberta": {**sizes, "max_position_embeddings": 130, "type_vocab_size": 1},
        "mpnet": {**sizes, "max_position_embeddings": 130},
        "electra": {**sizes, "embedding_size": 16, "max_position_embeddings": 128},
        "albert": {**sizes, "embedding_size": 16, "max_position_embeddings": 128},
        "distilbert": {
            "dim": 32,
            "n_layers": 2,
            "n_heads": 2,
            "hidden_dim": 48,
            "max_position_embeddings": 128,
            "initializer_range": 0.3,
        },
        "modernbert": {
            **sizes,
            "pad_token_id": 0,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "cls_token_id": 2,
            "sep_token_id": 3,
            "max_position_embeddings": 128,
        },
        "deberta": {
            **sizes,
            "relative_attention": True,
            "pos_att_type": ["c2p", "p2c"],
            "max_position_embeddings": 128,
            "type_vocab_size": 0,
        },
        "bart": {
            "d_model": 32,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 48,
            "decoder_ffn_dim": 48,
            "init_std": 0.3,
            "decoder_start_token_id": 2,
            "forced_eos_token_id": 2,
            "max_position_embeddings": 128,
        },
        "xlnet": {
            "d_model": 32,
            "n_layer": 2,
            "n_head": 2,
            "d_inner": 48,
            "pad_token_id": 0,
            "bos_token_id": 2,
            "eos_token_id": 3,
            "initializer_range": 0.3,
        },
        "gpt2": {
            "n_positions": 128,
            "n_embd": 32,
            "n_layer": 2,
            "n_head": 2,
            "bos_token_id": 0,
            "eos_token_id": 0,
            "initializer_range": 0.3,
        },
        "llama": {**sizes, "max_position_embeddings": 128, "bos_token_id": 1, "eos_token_id": 2},
    }
    prefix = {
        "bert": "Bert",
        "roberta": "Roberta",
        "mpnet": "MPNet",
        "electra": "Electra",
        "albert": "Albert",
        "distilbert": "DistilBert",
        "modernbert": "ModernBert",
        "deberta": "DebertaV2",
        "bart": "Bart",
        "xlnet": "XLNet",
        "gpt2": "GPT2",
        "llama": "Llama",
    }[family]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        settings = getattr(transformers, f"{prefix}Config")(**{**common, **own[family], **config})
        model = getattr(transformers, f"{prefix}ForSequenceClassification")(settings)
    return model.eval(), tokenizer


def plain_log_probs(
    model: Any, tokenizer: Any, texts: list[str], pairs: list[str] | None = None, *, max_length: int = 128
) -> np.ndarray:
    """(n, labels) float32: what a user would compute row by row."""
    rows = []
    for i, text in enumerate(texts):
        pair = None if pairs is None else [pairs[i]]  # in a list: transformers takes a bare "" for no second text
        encoded = tokenizer([text], pair, truncation=True, max_length=max_length, return_tensors="pt")
        if encoded["input_ids"].shape[1] == 0:  # no special tokens around an empty text: its stand-in
            encoded = {"input_ids": torch.tensor([[tokenizer.bos_token_id]]), "attention_mask": torch.tensor([[1]])}
        with torch.no_grad():
            logits = model(**encoded).logits
        rows.append(torch.log_softmax(logits.float(), dim=-1)[0].numpy())
    return np.stack(rows)
