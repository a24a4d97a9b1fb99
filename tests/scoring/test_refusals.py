"""What cannot be judged is refused in words: what was expected, what was found, what to do."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import transformers
from tiny_models import FAMILIES, LABELS, TEXTS, tiny, wordpiece

from loss_widget.errors import ColumnError, DataError, InputError, LabelMismatch, ModelError
from loss_widget.scoring import Scorer, score

DATA = pd.DataFrame({"text": TEXTS, "label": [LABELS[i % 3] for i in range(len(TEXTS))]})


def bert_config(**more: Any) -> transformers.BertConfig:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return transformers.BertConfig(vocab_size=len(wordpiece()), **sizes, **more)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("BertForTokenClassification", "found a token classifier"),
        ("BertForQuestionAnswering", "found a question-answering model"),
        ("BertForMaskedLM", "found a masked language model"),
        ("BertLMHeadModel", "found a language model"),
        ("BertForMultipleChoice", "found a multiple-choice model"),
        ("BertModel", "found an encoder without a head"),
    ],
)
def test_other_heads_are_refused(kind: str, said: str) -> None:
    model = getattr(transformers, kind)(bert_config(is_decoder=kind == "BertLMHeadModel"))
    with pytest.raises(ModelError, match=f"{said}.*`lw.score` judges sequence classifiers"):
        score(DATA, model, tokenizer=wordpiece())


@pytest.mark.parametrize("family", ["modernbert", "llama"])
def test_a_token_classifier_on_disk_is_not_taken_for_a_sequence_classifier(family: str, tmp_path: Path) -> None:
    """Its head has the names and shapes of a sequence classifier's, so transformers loads it without a word."""
    model, tokenizer = tiny(family)
    kind = {"modernbert": "ModernBert", "llama": "Llama"}[family] + "ForTokenClassification"
    getattr(transformers, kind)(model.config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=rf"found a token classifier \({kind}\)"):
        score(DATA, tmp_path)


@pytest.mark.parametrize("kind", ["BertForMaskedLM", "BertForQuestionAnswering", "BertForTokenClassification"])
def test_other_heads_on_disk_are_refused(kind: str, tmp_path: Path) -> None:
    getattr(transformers, kind)(bert_config(num_labels=3)).save_pretrained(tmp_path)
    wordpiece().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"the head would be random .*cross_score"):
        score(DATA, tmp_path)


def test_models_of_images_and_sound_are_refused(tmp_path: Path) -> None:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    image = transformers.ViTForImageClassification(transformers.ViTConfig(**small, image_size=8, patch_size=4))
    with pytest.raises(ModelError, match=r"found an image classifier .*`lw\.score` judges"):
        score(DATA, image, tokenizer=wordpiece())
    image.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"found none that loads: .*ViTConfig"):
        score(DATA, tmp_path, tokenizer=wordpiece())
    convolution = {"conv_dim": (8,), "conv_stride": (5,), "conv_kernel": (10,), "num_feat_extract_layers": 1}
    positions = {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "classifier_proj_size": 8}
    sound = transformers.Wav2Vec2ForSequenceClassification(transformers.Wav2Vec2Config(**small, **convolution, **positions))
    with pytest.raises(ModelError, match=r"found one that reads input_values .*`lw\.score` judges"):
        score(DATA, sound, tokenizer=wordpiece())


def test_a_regression_model_on_disk_is_refused(tmp_path: Path) -> None:
    model, tokenizer = tiny("bert", labels=["score"])
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"found a regression model .*num_labels=1.*`lw\.score` judges"):
        score(DATA, tmp_path)


def test_regression_models_are_refused() -> None:
    model, tokenizer = tiny("bert", problem_type="regression")
    with pytest.raises(ModelError, match="found a regression model"):
        score(DATA, model, tokenizer=tokenizer)
    model, tokenizer = tiny("bert", labels=["score"])
    with pytest.raises(ModelError, match=r"found a regression model .*num_labels=1"):
        score(DATA, model, tokenizer=tokenizer)


def test_things_that_are_no_model_are_refused() -> None:
    with pytest.raises(ModelError, match="PreTrainedModel, or a name or path, found int"):
        score(DATA, 3)

    class TextClassificationPipeline:
        model = tokenizer = None

    with pytest.raises(ModelError, match=r"found a pipeline.*pipe\.model"):
        score(DATA, TextClassificationPipeline())


def test_quantised_weights_are_refused() -> None:
    model, tokenizer = tiny("bert")
    model.is_quantized = True
    with pytest.raises(ModelError, match="found a quantised model"):
        score(DATA, model, tokenizer=tokenizer)


def test_an_untrained_head_is_refused(tmp_path: Path) -> None:
    transformers.BertModel(bert_config()).save_pretrained(tmp_path)
    wordpiece().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"no weights for classifier\.bias, classifier\.weight.*cross_score"):
        score(DATA, tmp_path)


def test_a_head_of_another_size_is_refused(tmp_path: Path) -> None:
    model, tokenizer = tiny("bert")
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["id2label"] = {"0": "a", "1": "b"}
    config["label2id"] = {"a": 0, "b": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"Expected a fine-tuned classifier|found none that loads"):
        score(DATA, tmp_path)


def test_bad_paths_say_what_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"a sequence classifier called '.*nowhere', looked for a folder of that path"):
        score(DATA, tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ModelError, match=r"config\.json and weights.*found .* with \['notes\.txt'\]"):
        score(DATA, tmp_path)
    with pytest.raises(ModelError, match="found a file"):
        score(DATA, tmp_path / "notes.txt")


def test_a_name_that_is_nowhere_says_what_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for judge in ("nobody/no-such-model", "no-such-model"):
        with pytest.raises(ModelError, match=rf"called '{judge}', looked for a folder .* on the hub .* Check the spelling"):
            score(DATA, judge)


def test_a_missing_tokenizer_is_told() -> None:
    model, _ = tiny("bert")
    with pytest.raises(ModelError, match=r"Expected a tokenizer, found none: .* Pass `tokenizer=`"):
        score(DATA, model)
    with pytest.raises(ModelError, match="Expected a tokenizer, or its name or path, found int"):
        score(DATA, model, tokenizer=3)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_without_a_tokenizer_is_told(family: str, tmp_path: Path) -> None:
    model, _ = tiny(family)  # for most families transformers 5 makes a tokenizer of five tokens out of nothing
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="Expected a tokenizer"):
        score(DATA, tmp_path)


def test_a_tokenizer_of_another_model_is_refused() -> None:
    model, _ = tiny("bert")
    _, bigger = tiny("gpt2")
    with pytest.raises(ModelError, match="the tokenizer belongs to another model"):
        Scorer(model, tokenizer=bigger)(TEXTS)


def test_broken_label_names_are_refused() -> None:
    model, tokenizer = tiny("bert")
    model.config.id2label = {1: "a", 2: "b", 3: "c"}
    with pytest.raises(ModelError, match=r"id2label` to name the labels 0, 1, 2 …, found the ids \[1, 2, 3\]"):
        score(DATA, model, tokenizer=tokenizer)


def test_labels_of_another_task_are_refused_before_the_pass() -> None:
    model, tokenizer = tiny("bert", labels=["joy", "fear", "anger"])
    model.forward = None
    with pytest.raises(LabelMismatch, match="joy"):
        score(DATA, model, tokenizer=tokenizer)


def test_a_taken_column_is_told_before_the_pass() -> None:
    model, tokenizer = tiny("bert")
    model.forward = None
    with pytest.raises(ColumnError, match="rename"):
        score(DATA.assign(loss=1.0), model, tokenizer=tokenizer)


def test_a_wrong_order_of_bare_ids_is_told_early(banking_test: pd.DataFrame) -> None:
    model, tokenizer = tiny("bert")
    frame = pd.DataFrame({"text": banking_test["text"].iloc[:1500].tolist()})
    best = Scorer(model, tokenizer=tokenizer)(frame["text"].tolist()).log_probs.argmax(axis=1)
    read = []
    original = model.forward

    def forward(input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        read.append(len(input_ids))
        return original(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)

    model.forward = forward
    with pytest.raises(LabelMismatch, match="if the labels were read as"):
        score(frame.assign(label=(best + 1) % 3), model, tokenizer=tokenizer, progress=False)
    assert sum(read) < 1000


def test_bad_data_is_refused() -> None:
    model, tokenizer = tiny("bert")
    with pytest.raises(DataError, match="empty"):
        score(DATA.iloc[:0], model, tokenizer=tokenizer)
    with pytest.raises(ColumnError, match="did you mean 'label'"):
        score(DATA, model, tokenizer=tokenizer, label="Label")


@pytest.mark.parametrize("length", [0, 2, -5, 3.5, True])
def test_bad_lengths_are_refused(length: Any) -> None:
    model, tokenizer = tiny("bert")
    with pytest.raises(InputError, match="max_length to be a whole number above 3"):
        score(DATA, model, tokenizer=tokenizer, max_length=length)


def test_bad_devices_and_precisions_are_refused() -> None:
    model, tokenizer = tiny("bert")
    for device in ("tpu9000", "cuda:99", 3.5):
        with pytest.raises(InputError, match="a device that this machine has"):
            score(DATA, model, tokenizer=tokenizer, device=device)
    with pytest.raises(InputError, match="precision to be one of 'exact', 'fast', found 'int8'"):
        score(DATA, model, tokenizer=tokenizer, precision="int8")
    with pytest.raises(InputError, match="engine to be one of 'auto', 'stock', 'packed', found 'onnx'"):
        Scorer(model, tokenizer=tokenizer, engine="onnx")


def test_a_model_like_object_without_weights_is_refused() -> None:
    with pytest.raises(ModelError, match="found SimpleNamespace"):
        score(DATA, SimpleNamespace(config=SimpleNamespace(num_labels=2)))
