"""Small random models of the real architectures, made on the spot: no test downloads anything.

Each function writes a folder in the Hugging Face layout (``config.json``, safetensors, tokenizer) that the loading code
takes like a real base model. Random weights; :func:`pretrain` gives a causal one something to build an adapter on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ message.content }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML with marks around what is trained."""
GEMMA_TEMPLATE = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}"
    "{% set turns = messages[1:] %}{% else %}{% set first = '' %}{% set turns = messages %}{% endif %}"
    "{% for message in turns %}<start_of_turn>{{ 'model' if message.role == 'assistant' else message.role }}\n"
    "{{ first if loop.first }}"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<end_of_turn>\n{% endgeneration %}"
    "{% else %}{{ message.content }}<end_of_turn>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
"""Gemma's: no system turn, what it says stands before the first question."""
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


def _decoder(tokenizer: Any, dim: int, ffn: int, layers: int) -> dict[str, Any]:
    """What the configurations of all decoders have."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": dim,
        "intermediate_size": ffn,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "head_dim": dim // 4,
        "max_position_embeddings": 1024,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _t5(dim: int, layers: int) -> dict[str, Any]:
    """What the configurations of T5's kin have."""
    return {
        "d_model": dim,
        "d_kv": dim // 4,
        "d_ff": 2 * dim,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "num_heads": 4,
        "dropout_rate": 0.0,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "decoder_start_token_id": 0,
    }


def _bart(tokenizer: Any) -> dict[str, Any]:
    """What the configurations of BART's kin have."""
    return {
        "vocab_size": len(tokenizer),
        "d_model": 64,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "decoder_ffn_dim": 128,
        "dropout": 0.0,
        "pad_token_id": tokenizer.pad_token_id,
    }


def qwen3(
    folder: Path, texts: Iterable[str] = TEXTS, *, dim: int = 64, ffn: int = 128, layers: int = 2, vocabulary: int = 600
) -> Path:
    """A Qwen3 with a byte-level tokenizer of its own and a chat template; K-quants want ``dim`` and ``ffn`` % 256."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _chat_tokenizer(texts, vocabulary)
    torch.manual_seed(1)
    config = Qwen3Config(
        **_decoder(tokenizer, dim, ffn, layers),
        num_key_value_heads=2,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
    )
    return _write(Qwen3ForCausalLM(config), tokenizer, folder)


def llama(folder: Path, texts: Iterable[str] = TEXTS, *, dim: int = 64, ffn: int = 128, layers: int = 2) -> Path:
    """A Llama with a tokenizer like that of SmolLM2: byte-level, numbers cut into digits, a mark before every turn."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _chat_tokenizer(texts, 600)
    steps = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.bos_token = "<|im_start|>"
    torch.manual_seed(1)
    config = LlamaConfig(**_decoder(tokenizer, dim, ffn, layers), num_key_value_heads=2, tie_word_embeddings=True)
    return _write(LlamaForCausalLM(config), tokenizer, folder)


def _pieces_tokenizer(texts: Iterable[str], size: int, complete: bool) -> Any:
    """BPE over text with ``▁`` for spaces and bytes for what is unknown, as Gemma's; begins every text with <bos>."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    marks = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    learner = Tokenizer(models.BPE(unk_token="<unk>"))
    learner.normalizer = normalizers.Replace(" ", "▁")
    learner.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    every = [*marks, *(f"<0x{byte:02X}>" for byte in range(256))]
    learner.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=every, show_progress=False))
    learned = json.loads(learner.to_str())["model"]
    vocab, merges = learned["vocab"], [tuple(merge) for merge in learned["merges"]]
    if complete:  # every way to a token, as SentencePiece's merges become when Transformers converts them
        made = ["".join(merge) for merge in merges]
        cuts = ((token[:cut], token[cut:]) for token in made for cut in range(1, len(token)))
        merges = [(one, other) for one, other in cuts if one in vocab and other in vocab]
    own = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    own.normalizer = normalizers.Replace(" ", "▁")
    own.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    own.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    own.add_special_tokens([AddedToken(mark, normalized=False) for mark in marks])
    own.add_tokens([AddedToken("▁▁", normalized=complete), AddedToken("\n\n", normalized=False)])
    own.post_processor = TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", vocab["<bos>"])])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=own, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )
    tokenizer.chat_template = GEMMA_TEMPLATE
    return tokenizer


def gemma3(
    folder: Path,
    texts: Iterable[str] = TEXTS,
    *,
    dim: int = 64,
    ffn: int = 128,
    layers: int = 2,
    pieces: Literal["bytes", "own", "sentencepiece"] = "bytes",
) -> Path:
    """A Gemma 3 text model.

    Its tokenizer is byte-level, or ``own``, a BPE over characters as Gemma's is, or one with all the merges that a
    conversion from ``sentencepiece`` gives; the last two with Gemma's turns, whose end is not the EOS.
    """
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    tokenizer = _chat_tokenizer(texts, 600) if pieces == "bytes" else _pieces_tokenizer(texts, 500, pieces != "own")
    torch.manual_seed(1)
    config = Gemma3TextConfig(**_decoder(tokenizer, dim, ffn, layers), num_key_value_heads=1, sliding_window=64)
    return _write(Gemma3ForCausalLM(config), tokenizer, folder)


def byt5(folder: Path, *, dim: int = 64, layers: int = 2) -> Path:
    """A ByT5: its tokenizer is the bytes, nothing is trained."""
    import torch
    from transformers import ByT5Tokenizer, T5Config, T5ForConditionalGeneration

    tokenizer = ByT5Tokenizer()
    torch.manual_seed(1)
    config = T5Config(**_t5(dim, layers), vocab_size=384, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    return _write(T5ForConditionalGeneration(config), tokenizer, folder)


def mt5(folder: Path, texts: Iterable[str] = TEXTS) -> Path:
    """An mT5 with a unigram tokenizer of its own."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import MT5Config, MT5ForConditionalGeneration, T5Tokenizer

    pieces = Tokenizer(models.Unigram())
    pieces.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    marks = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=150, special_tokens=marks, unk_token="<unk>", show_progress=False)
    pieces.train_from_iterator(texts, trainer)
    vocab = [(piece, score) for piece, score in json.loads(pieces.to_str())["model"]["vocab"]]
    tokenizer = T5Tokenizer(vocab=vocab, extra_ids=4)
    torch.manual_seed(1)
    config = MT5Config(**_t5(64, 2), vocab_size=len(tokenizer) + 4)  # rows to spare, as the real one has
    return _write(MT5ForConditionalGeneration(config), tokenizer, folder)


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
        **_bart(tokenizer),
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
    )
    return _write(M2M100ForConditionalGeneration(config), tokenizer, folder)


def _pieces(texts: Iterable[str], folder: Path, size: int) -> Any:
    """A SentencePiece model (unigram), also as the file ``pieces.model``."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(list(texts)),
        model_prefix=str(folder / "pieces"),
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=3,
    )
    (folder / "pieces.vocab").unlink()
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces.model"))


def marian(folder: Path, texts: Iterable[str] = TEXTS) -> Path:
    """A Marian model (OPUS-MT); its padding is the last piece, from which its decoder starts."""
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    made = _pieces(texts, folder, 200)
    pieces = [made.id_to_piece(i) for i in range(made.get_piece_size())]
    names = ["</s>", "<unk>", *(piece for piece in pieces if piece not in ("<s>", "</s>", "<unk>")), "<pad>"]
    vocabulary = {name: number for number, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    both = str(folder / "pieces.model")
    with warnings.catch_warnings():  # it would rather split punctuation with a package that is not needed
        warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
        tokenizer = MarianTokenizer(vocab=str(folder / "vocab.json"), source_spm=both, target_spm=both)
    torch.manual_seed(1)
    config = MarianConfig(
        **_bart(tokenizer),
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=len(names) - 1,
    )
    return _write(MarianMTModel(config), tokenizer, folder)


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
