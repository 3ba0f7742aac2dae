"""Small random models of the real architectures, made on the spot: no test downloads anything.

Each function writes a folder in the Hugging Face layout (``config.json``, safetensors, tokenizer) that the loading code
takes like a real base model. Random weights; :func:`pretrain` gives a causal one something to build an adapter on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ message.content }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML with marks around what is trained."""
TEXTS = (
    "Translate from Lumeko into Spanish: the sky is high and the river is wide.",
    "El perro de la niña busca el pan en la casa del pescador.",
    "¿Dónde está la canoa? Mañana vuelve el viejo con la luna.",
    "dawanri tirenkero bemota kuchi kitishe welesho ñãmɨ kaʼ",
)


def _byte_pairs(texts: Iterable[str], size: int, specials: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(specials), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    return made


def _chat_tokenizer(texts: Iterable[str], size: int) -> Any:
    from transformers import PreTrainedTokenizerFast

    made = _byte_pairs(texts, size, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _write(model: Any, tokenizer: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def qwen3(
    folder: Path, texts: Iterable[str] = TEXTS, *, dim: int = 64, ffn: int = 128, layers: int = 2, vocabulary: int = 600
) -> Path:
    """A Qwen3 with a byte-level tokenizer of its own and a chat template; K-quants want ``dim`` and ``ffn`` % 256."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _chat_tokenizer(texts, vocabulary)
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=dim,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=dim // 4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
    )
    return _write(Qwen3ForCausalLM(config), tokenizer, folder)


def gemma3(folder: Path, texts: Iterable[str] = TEXTS, *, dim: int = 64, ffn: int = 128, layers: int = 2) -> Path:
    """A Gemma 3 text model, with a byte-level tokenizer of its own."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    tokenizer = _chat_tokenizer(texts, 600)
    torch.manual_seed(1)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=dim,
        intermediate_size=ffn,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=dim // 4,
        max_position_embeddings=1024,
        sliding_window=64,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return _write(Gemma3ForCausalLM(config), tokenizer, folder)


def byt5(folder: Path, *, dim: int = 64, layers: int = 2) -> Path:
    """A ByT5: its tokenizer is the bytes, nothing is trained."""
    import torch
    from transformers import ByT5Tokenizer, T5Config, T5ForConditionalGeneration

    tokenizer = ByT5Tokenizer()
    torch.manual_seed(1)
    config = T5Config(
        vocab_size=384,
        d_model=dim,
        d_kv=dim // 4,
        d_ff=2 * dim,
        num_layers=layers,
        num_decoder_layers=layers,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    return _write(T5ForConditionalGeneration(config), tokenizer, folder)


def nllb(folder: Path, texts: Iterable[str] = TEXTS, codes: Sequence[str] = ("spa_Latn", "eng_Latn")) -> Path:
    """An NLLB (M2M-100 architecture) whose tokenizer knows the given language codes."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    pairs = Tokenizer(models.BPE(unk_token="<unk>"))
    pairs.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    pairs.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=400, special_tokens=marks, show_progress=False))
    learned = json.loads(pairs.to_str())["model"]
    merges = [tuple(merge) for merge in learned["merges"]]
    tokenizer = NllbTokenizer(
        vocab=learned["vocab"], merges=merges, extra_special_tokens=list(codes), src_lang=codes[0], tgt_lang=codes[1]
    )
    torch.manual_seed(1)
    config = M2M100Config(
        vocab_size=len(tokenizer),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        max_position_embeddings=512,
        dropout=0.0,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
    )
    return _write(M2M100ForConditionalGeneration(config), tokenizer, folder)


def xlmr(folder: Path, texts: Iterable[str] = TEXTS) -> Path:
    """An XLM-R with a byte-level tokenizer of its own and a mask token."""
    import torch
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

    made = _byte_pairs(texts, 600, ["<s>", "<pad>", "</s>", "<unk>"])
    made.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    from tokenizers.processors import TemplateProcessing

    made.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=AddedToken("<mask>", lstrip=True),
    )
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=514,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    return _write(XLMRobertaForMaskedLM(config), tokenizer, folder)


def pretrain(folder: Path, texts: Sequence[str], steps: int = 60, batch: int = 8, rate: float = 3e-3) -> float:
    """Train a causal model on plain texts in place, as a base for adapters; returns the last loss."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    loss = torch.tensor(0.0)
    for step in range(steps):
        chosen = [texts[(step * batch + i) % len(texts)] + tokenizer.eos_token for i in range(batch)]
        rows = tokenizer(chosen, padding=True, truncation=True, max_length=128, return_tensors="pt")
        labels = rows["input_ids"].masked_fill(rows["attention_mask"] == 0, -100)
        loss = model(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"], labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return float(loss.detach())
