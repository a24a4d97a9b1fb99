"""Encoders whose head reads one position or the mean: BERT and its kin, DistilBERT, ELECTRA, MPNet, ModernBERT → an anatomy.

`bert(config, body)` and the like describe what is below the head; `bert_head(model)` and the like the head of a classifier.
"""

from __future__ import annotations

from typing import Any

from loss_widget.scoring.engine.packed import modules
from loss_widget.scoring.engine.packed.anatomy import Activation, Anatomy, Block, Embedding, Head, NotPacked, Rotary


def bert(config: Any, body: Any) -> Anatomy:
    """BERT (MiniLM is one), and ELECTRA, whose embeddings may be narrower than the layers."""
    return _bert_like(config, body)


def bert_head(model: Any) -> Head:
    """The pooler's tanh of the first token's vector."""
    dense = modules.affine(model.bert.pooler.dense)
    return Head(modules.affine(model.classifier), dense, modules.activation(model.bert.pooler.activation))


def electra_head(model: Any) -> Head:
    """A dense layer whose activation is GELU."""
    return _dense_head(model.classifier, modules.activation(model.classifier.activation))


def roberta(config: Any, body: Any) -> Anatomy:
    """RoBERTa, XLM-RoBERTa and CamemBERT: positions count from the padding token's id."""
    return _bert_like(config, body, padding_id=_padding_id(body.embeddings))


def tanh_head(model: Any) -> Head:
    """RoBERTa's and MPNet's: a dense layer and tanh."""
    return _dense_head(model.classifier, "tanh")


def mpnet(config: Any, body: Any) -> Anatomy:
    """MPNet: one bias by distance, shared by all layers."""
    modules.expect(config, chunk_size_feed_forward=0, relative_attention_num_buckets=32)
    blocks = [
        Block(
            qkv=modules.affine(layer.attention.attn.q, layer.attention.attn.k, layer.attention.attn.v),
            out=modules.affine(layer.attention.attn.o),
            up=modules.affine(layer.intermediate.dense),
            down=modules.affine(layer.output.dense),
            attention_norm=modules.norm(layer.attention.LayerNorm),
            mlp_norm=modules.norm(layer.output.LayerNorm),
        )
        for layer in body.encoder.layer
    ]
    activations = [layer.intermediate.intermediate_act_fn for layer in body.encoder.layer]
    positions = modules.table(body.embeddings.position_embeddings)
    embedding = Embedding(
        words=modules.table(body.embeddings.word_embeddings),
        positions=positions,
        padding_id=_padding_id(body.embeddings),
        norm=modules.norm(body.embeddings.LayerNorm),
    )
    return _first_token(
        embedding,
        blocks,
        heads=config.num_attention_heads,
        activations=activations,
        distance_bias=_bias_by_distance(body.encoder, len(positions)),
    )


def distilbert(config: Any, body: Any) -> Anatomy:
    """DistilBERT: no segments."""
    modules.expect(config, chunk_size_feed_forward=0)
    blocks = [
        Block(
            qkv=modules.affine(layer.attention.q_lin, layer.attention.k_lin, layer.attention.v_lin),
            out=modules.affine(layer.attention.out_lin),
            up=modules.affine(layer.ffn.lin1),
            down=modules.affine(layer.ffn.lin2),
            attention_norm=modules.norm(layer.sa_layer_norm),
            mlp_norm=modules.norm(layer.output_layer_norm),
        )
        for layer in body.transformer.layer
    ]
    return _first_token(
        Embedding(
            words=modules.table(body.embeddings.word_embeddings),
            positions=modules.table(body.embeddings.position_embeddings),
            norm=modules.norm(body.embeddings.LayerNorm),
        ),
        blocks,
        heads=config.n_heads,
        activations=[layer.ffn.activation for layer in body.transformer.layer],
    )


def distilbert_head(model: Any) -> Head:
    """A dense layer and a ReLU."""
    return Head(modules.affine(model.classifier), modules.affine(model.pre_classifier), "relu")


def modernbert(config: Any, body: Any) -> Anatomy:
    """ModernBERT (Warner et al. 2024): rotary positions, every third layer global, gated GELU, norms first."""
    if config.classifier_pooling not in ("cls", "mean"):
        raise NotPacked(f"its config has classifier_pooling={config.classifier_pooling!r}")
    rotaries: dict[Any, Rotary] = {}
    blocks = []
    for index, layer in enumerate(body.layers):
        local = _is_local(config, layer, index)
        half = config.local_attention // 2 if local else None
        blocks.append(
            Block(
                qkv=modules.thirds(layer.attn.Wqkv),
                out=modules.affine(layer.attn.Wo),
                up=modules.affine(layer.mlp.Wi),
                down=modules.affine(layer.mlp.Wo),
                attention_norm=None if type(layer.attn_norm).__name__ == "Identity" else modules.norm(layer.attn_norm),
                mlp_norm=modules.norm(layer.mlp_norm),
                reach=(half, half),
                rotary=rotaries.setdefault(local, Rotary(_modernbert_frequencies(body, layer, local))),
            )
        )
    return Anatomy(
        embedding=Embedding(words=modules.table(body.embeddings.tok_embeddings), norm=modules.norm(body.embeddings.norm)),
        blocks=tuple(blocks),
        heads=config.num_attention_heads,
        key_heads=config.num_attention_heads,
        head_width=config.hidden_size // config.num_attention_heads,
        activation=_one_activation([layer.mlp.act for layer in body.layers]),
        norm_first=True,
        reads="first" if config.classifier_pooling == "cls" else "mean",
        final_norm=modules.norm(body.final_norm),
    )


def modernbert_head(model: Any) -> Head:
    """A dense layer, its activation and a norm."""
    return Head(
        labels=modules.affine(model.classifier),
        dense=modules.affine(model.head.dense),
        activation=modules.activation(model.head.act),
        norm=modules.norm(model.head.norm),
    )


def _bert_like(config: Any, body: Any, *, padding_id: int | None = None) -> Anatomy:
    modules.expect(
        config, is_decoder=False, add_cross_attention=False, chunk_size_feed_forward=0, position_embedding_type="absolute"
    )
    layers = body.encoder.layer
    blocks = [
        Block(
            qkv=modules.affine(layer.attention.self.query, layer.attention.self.key, layer.attention.self.value),
            out=modules.affine(layer.attention.output.dense),
            up=modules.affine(layer.intermediate.dense),
            down=modules.affine(layer.output.dense),
            attention_norm=modules.norm(layer.attention.output.LayerNorm),
            mlp_norm=modules.norm(layer.output.LayerNorm),
        )
        for layer in layers
    ]
    projection = getattr(body, "embeddings_project", None)
    embedding = Embedding(
        words=modules.table(body.embeddings.word_embeddings),
        positions=modules.table(body.embeddings.position_embeddings),
        types=modules.table(body.embeddings.token_type_embeddings),
        padding_id=padding_id,
        norm=modules.norm(body.embeddings.LayerNorm),
        projection=None if projection is None else modules.affine(projection),
    )
    activations = [layer.intermediate.intermediate_act_fn for layer in layers]
    return _first_token(embedding, blocks, heads=config.num_attention_heads, activations=activations)


def _first_token(
    embedding: Embedding,
    blocks: list[Block],
    *,
    heads: int,
    activations: list[Any],
    distance_bias: Any = None,
) -> Anatomy:
    width = blocks[0].qkv.part(0).outputs
    return Anatomy(
        embedding=embedding,
        blocks=tuple(blocks),
        heads=heads,
        key_heads=heads,
        head_width=width // heads,
        activation=_one_activation(activations),
        norm_first=False,
        reads="first",
        distance_bias=distance_bias,
    )


def _dense_head(classifier: Any, activation: Activation) -> Head:
    return Head(modules.affine(classifier.out_proj), modules.affine(classifier.dense), activation)


def _one_activation(functions: list[Any]) -> Activation:
    names = {modules.activation(function) for function in functions}
    if len(names) != 1:
        raise NotPacked("its layers have different activations")
    return names.pop()


def _padding_id(embeddings: Any) -> int:
    padding_id = embeddings.padding_idx
    if padding_id is None:
        raise NotPacked("its positions are counted by a padding token, and it has none")
    return int(padding_id)


def _bias_by_distance(encoder: Any, positions: int) -> Any:
    """(heads, 2 P - 1) from the buckets of distances that MPNet's encoder counts in."""
    import torch

    weights = modules.table(encoder.relative_attention_bias)
    distances = torch.arange(1 - positions, positions, device=weights.device)
    return weights[encoder.relative_position_bucket(distances, num_buckets=32)].t().contiguous()


def _is_local(config: Any, layer: Any, index: int) -> bool:
    kinds = getattr(config, "layer_types", None)
    if kinds is not None:
        if kinds[index] not in ("full_attention", "sliding_attention"):
            raise NotPacked(f"it has a layer of {kinds[index]}")
        return bool(kinds[index] == "sliding_attention")
    return tuple(layer.attn.local_attention) != (-1, -1)  # before transformers 5


def _modernbert_frequencies(body: Any, layer: Any, local: bool) -> Any:
    if hasattr(body, "rotary_emb"):
        rotary, prefix = body.rotary_emb, "sliding_attention" if local else "full_attention"
        if rotary.rope_type[prefix] != "default" or getattr(rotary, f"{prefix}_attention_scaling") != 1.0:
            raise NotPacked("its rotary positions are scaled")
        return getattr(rotary, f"{prefix}_inv_freq").detach().float()
    rotary = layer.attn.rotary_emb  # before transformers 5
    if getattr(rotary, "rope_type", "default") != "default" or getattr(rotary, "attention_scaling", 1.0) != 1.0:
        raise NotPacked("its rotary positions are scaled")
    return rotary.inv_freq.detach().float()
