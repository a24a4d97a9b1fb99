"""Train the project's own small classifier on BANKING77, from scratch: the same weights on every run.

    python notebooks/train_tiny_bert.py                     # writes notebooks/models/banking77-tiny-bert
    python notebooks/train_tiny_bert.py --out /tmp/again    # elsewhere; a test does this and compares accuracies

A WordPiece vocabulary of 1,500 from the 10,003 training texts, then a BERT of 2 layers x 128, one thread, a few CPU
minutes. The last line printed is JSON with the accuracies and the CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import pandas as pd
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

HERE = Path(__file__).resolve().parent
VOCABULARY = 1_500
POSITIONS = 64
BATCH = 64
EPOCHS = 16


def train_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A lower-case WordPiece tokenizer with BERT's special tokens, learned from `texts`."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    learner = _wordpiece(models.WordPiece(unk_token="[UNK]"))
    learner.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    )
    # The trainer finds the same pieces each time but numbers them in the order of a hash map.
    pieces = special + sorted(set(learner.get_vocab()) - set(special))
    tokenizer = _wordpiece(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=POSITIONS,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def _wordpiece(model: models.WordPiece) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def untrained_model(names: list[str], vocabulary: int) -> BertForSequenceClassification:
    """The architecture with random weights (drawn from torch's seeded generator)."""
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=vocabulary,
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=512,
            max_position_embeddings=POSITIONS,
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
        )
    )


def shuffled_batches(lengths: list[int], rng: random.Random) -> list[list[int]]:
    """Row numbers in batches of like lengths: shuffled, then sorted within stretches of 16 batches."""
    rows = list(range(len(lengths)))
    rng.shuffle(rows)
    stretch = 16 * BATCH
    batches = []
    for start in range(0, len(rows), stretch):
        near = sorted(rows[start : start + stretch], key=lengths.__getitem__)
        batches += [near[i : i + BATCH] for i in range(0, len(near), BATCH)]
    rng.shuffle(batches)
    return batches


def padded(token_ids: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, (batch, longest); the padding id is 0."""
    longest = max(map(len, token_ids))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in token_ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in token_ids])
    return ids, mask


def fit(model: BertForSequenceClassification, ids: list[list[int]], labels: list[int], epochs: int) -> None:
    """AdamW at 1e-3 with a one-cycle schedule, seeded."""
    rng = random.Random(0)
    steps = epochs * -(-len(ids) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=steps, pct_start=0.1)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for rows in shuffled_batches([len(row) for row in ids], rng):
            input_ids, mask = padded([ids[row] for row in rows])
            logits = model(input_ids=input_ids, attention_mask=mask).logits  # (batch, labels)
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor([labels[row] for row in rows]))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch + 1:2d}/{epochs}  loss {total / len(ids):.3f}", flush=True)
    model.eval()


def accuracy(model: BertForSequenceClassification, ids: list[list[int]], labels: list[int]) -> float:
    """The share of rows whose most probable label is the given one."""
    right = 0
    with torch.no_grad():
        for start in range(0, len(ids), 256):
            input_ids, mask = padded(ids[start : start + 256])
            best = model(input_ids=input_ids, attention_mask=mask).logits.argmax(-1)
            right += int((best == torch.tensor(labels[start : start + 256])).sum())
    return right / len(ids)


def save(model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Weights as safetensors, the tokenizer in a form that transformers 4 and 5 can both load."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["tokenizer_class"] = "PreTrainedTokenizerFast"  # transformers 5 writes a name that 4.x cannot load
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    """Train, save and print the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "models" / "banking77-tiny-bert")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    train = pd.read_csv(HERE / "data" / "banking77" / "train.csv")
    test = pd.read_csv(HERE / "data" / "banking77" / "test.csv")
    names = sorted(train["category"].unique())
    tokenizer = train_tokenizer(train["text"].tolist())
    model = untrained_model(names, len(tokenizer))

    ids, labels = {}, {}
    for part, frame in (("train", train), ("test", test)):
        ids[part] = tokenizer(frame["text"].tolist(), truncation=True, max_length=POSITIONS)["input_ids"]
        labels[part] = [names.index(name) for name in frame["category"]]
    started = time.process_time()
    fit(model, ids["train"], labels["train"], options.epochs)
    seconds = time.process_time() - started
    save(model, tokenizer, options.out)
    print(
        json.dumps(
            {
                "test_accuracy": round(accuracy(model, ids["test"], labels["test"]), 4),
                "train_accuracy": round(accuracy(model, ids["train"], labels["train"]), 4),
                "cpu_seconds": round(seconds, 1),
                "epochs": options.epochs,
            }
        )
    )


if __name__ == "__main__":
    main()
