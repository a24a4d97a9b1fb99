"""Decoders whose head reads the last token: Llama, Mistral, Qwen2, Qwen3, GPT-2 → an anatomy."""

from __future__ import annotations

from typing import Any

from loss_widget.scoring.engine.packed import modules
from loss_widget.scoring.engine.packed.anatomy import Anatomy, Block, Embedding, Head, NotPacked, Rotary

_FIXED_ROTARIES = ("default", "linear", "llama3")
"""Kinds of rotary positions whose frequencies are settled when the model is made and depend on no text."""


def score_head(model: Any) -> Head:
    """One linear layer."""
    return Head(modules.affine(model.score))


def llama(config: Any, body: Any) -> Anatomy:
    """Llama and its kin: rotary positions, RMS norms first, gated SiLU, keys and values that several heads may share."""
    rotary = Rotary(_frequencies(body.rotary_emb))
    blocks = []
    for index, layer in enumerate(body.layers):
        attention = layer.self_attn
        query_norm, key_norm = getattr(attention, "q_norm", None), getattr(attention, "k_norm", None)
        blocks.append(
            Block(
                qkv=modules.affine(attention.q_proj, attention.k_proj, attention.v_proj),
                out=modules.affine(attention.o_proj),
                up=modules.affine(layer.mlp.gate_proj, layer.mlp.up_proj),
                down=modules.affine(layer.mlp.down_proj),
                attention_norm=modules.norm(layer.input_layernorm),
                mlp_norm=modules.norm(layer.post_attention_layernorm),
                reach=(_back(config, index), 0),
                rotary=rotary,
                query_norm=None if query_norm is None else modules.norm(query_norm),
                key_norm=None if key_norm is None else modules.norm(key_norm),
            )
        )
    head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Anatomy(
        embedding=Embedding(words=modules.table(body.embed_tokens)),
        blocks=tuple(blocks),
        heads=config.num_attention_heads,
        key_heads=config.num_key_value_heads,
        head_width=head_width,
        activation=modules.activation(body.layers[0].mlp.act_fn),
        norm_first=True,
        reads="last",
        final_norm=modules.norm(body.norm),
    )


def gpt2(config: Any, body: Any) -> Anatomy:
    """GPT-2: learnt positions, norms first."""
    modules.expect(
        config,
        add_cross_attention=False,
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        reorder_and_upcast_attn=False,
    )
    blocks = [
        Block(
            qkv=modules.thirds(layer.attn.c_attn),
            out=modules.affine(layer.attn.c_proj),
            up=modules.affine(layer.mlp.c_fc),
            down=modules.affine(layer.mlp.c_proj),
            attention_norm=modules.norm(layer.ln_1),
            mlp_norm=modules.norm(layer.ln_2),
            reach=(None, 0),
        )
        for layer in body.h
    ]
    return Anatomy(
        embedding=Embedding(words=modules.table(body.wte), positions=modules.table(body.wpe)),
        blocks=tuple(blocks),
        heads=config.num_attention_heads,
        key_heads=config.num_attention_heads,
        head_width=config.hidden_size // config.num_attention_heads,
        activation=modules.activation(body.h[0].mlp.act),
        norm_first=True,
        reads="last",
        final_norm=modules.norm(body.ln_f),
    )


def _back(config: Any, index: int) -> int | None:
    """How many tokens before its own a layer sees: None where it sees them all."""
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if config.model_type == "mistral":
        return None if window is None else int(window) - 1
    if kinds is not None:
        if kinds[index] not in ("full_attention", "sliding_attention"):
            raise NotPacked(f"it has a layer of {kinds[index]}")
        return int(window) - 1 if kinds[index] == "sliding_attention" and window is not None else None
    if getattr(config, "use_sliding_window", False):
        raise NotPacked("its config does not say which layers have a sliding window")
    return None


def _frequencies(rotary: Any) -> Any:
    kind = getattr(rotary, "rope_type", "default")
    if kind not in _FIXED_ROTARIES or getattr(rotary, "attention_scaling", 1.0) != 1.0:
        raise NotPacked(f"its rotary positions are scaled ({kind})")
    return rotary.inv_freq.detach().float()


def ignored_at_end(config: Any) -> int | None:
    """The padding token, which the head skips from the right. Older heads stopped at the first one from the left."""
    import transformers

    text_config = config.get_text_config() if hasattr(config, "get_text_config") else config
    padding_id = getattr(text_config, "pad_token_id", None)
    if padding_id is None:
        return None
    if tuple(int(n) for n in transformers.__version__.split(".")[:2]) < (4, 50):  # huggingface/transformers#35911
        raise NotPacked("before transformers 4.50 such a head reads the token before the first padding token")
    return int(padding_id)
