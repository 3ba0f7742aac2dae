from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.config import families
from seshat.config.finetune import FineTuneSection
from seshat.core.errors import CheckFailed, DataError, MissingPackage, SeshatError, UsageError
from seshat.models.neural import journal, training
from seshat.models.neural.device import Machine, choose
from seshat.models.neural.preflight import MASKED, Preflight, Row

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.tiny_models import byt5, qwen3  # noqa: E402

from seshat.models.neural import base, loop  # noqa: E402
from seshat.models.neural.dialogues import dataset  # noqa: E402
from seshat.models.neural.journal import trained  # noqa: E402
from seshat.models.neural.phases import Phase  # noqa: E402
from seshat.models.neural.steps import Order  # noqa: E402
from seshat.models.neural.trainer import distributed, out_of_memory  # noqa: E402
from seshat.project.manifest import Base  # noqa: E402

CPU = Machine(packages=("bitsandbytes",))
CONFIGURED = {
    "epochs": 2, "batch": 4, "learning_rate": 1e-3, "validate_every": 2, "metric": "chrf2", "patience": None,
}  # fmt: skip


# What to compute on


def test_best_device_and_its_arithmetic_are_chosen_with_reasons() -> None:
    gpu = Machine(("cuda", "cpu"), "NVIDIA H200", ("cuda",), packages=("bitsandbytes", "flash_attn"))
    chosen = choose(quantization="nf4", attention="flash_attention_2", machine=gpu)
    assert (chosen.device, chosen.dtype, chosen.quantization) == ("cuda", "bfloat16", "nf4")
    assert chosen.attention == "flash_attention_2"
    assert chosen.reasons[0] == "cuda (NVIDIA H200): the best there is"


def test_t4_takes_float16_where_bfloat16_would_be_emulated() -> None:
    t4 = Machine(("cuda", "cpu"), "Tesla T4", ())
    assert choose(machine=t4).dtype == "float16"
    asked = choose(precision="bfloat16", attention="flash_attention_2", machine=t4)
    assert asked.dtype == "float16"
    assert asked.attention == "sdpa"
    assert any("only emulate" in reason for reason in asked.reasons)
    assert any("flash-attn is not installed" in reason for reason in asked.reasons)


@pytest.mark.parametrize("architecture", ["t5", "gemma3_text"])
def test_what_overflows_in_float16_computes_in_float32(architecture: str) -> None:
    t4 = Machine(("cuda", "cpu"), "Tesla T4", ())
    chosen = choose(architecture=architecture, machine=t4)
    assert chosen.dtype == "float32"
    assert f"{architecture} overflows" in chosen.reasons[1]
    assert choose(architecture=architecture, machine=replace(t4, bfloat16=("cuda",))).dtype == "bfloat16"
    assert choose(precision="float16", architecture=architecture, machine=t4).dtype == "float16", "with a caution"


def test_apple_has_no_four_bits() -> None:
    mac = Machine(("mps", "cpu"), "arm", ("mps",))
    chosen = choose(quantization="nf4", precision="float16", attention="flash_attention_2", machine=mac)
    assert (chosen.device, chosen.dtype, chosen.quantization, chosen.attention) == ("mps", "bfloat16", "none", "sdpa")
    assert any("does not work on Apple's MPS" in reason for reason in chosen.reasons)


def test_rocm_is_named() -> None:
    chosen = choose(machine=Machine(("cuda", "cpu"), "AMD Instinct MI300X", ("cuda",), rocm="6.4"))
    assert "ROCm 6.4" in chosen.reasons[0]


def test_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"train\.finetune\.device is 'cuda', and this machine has: cpu"):
        choose("cuda", machine=CPU)


def test_missing_bitsandbytes_is_said_where_it_could_be_installed() -> None:
    with pytest.raises(MissingPackage, match="bitsandbytes"):
        choose(quantization="nf4", machine=Machine())


# The order of the examples


@given(st.lists(st.integers(1, 90), min_size=1, max_size=300), st.integers(1, 9), st.integers(0, 3), st.booleans())
@settings(deadline=None, max_examples=40)
def test_order_has_every_example_once_and_depends_on_seed_and_epoch_alone(
    lengths: list[int], batch: int, epoch: int, grouped: bool
) -> None:
    def order() -> list[int]:
        made = Order(len(lengths), lengths if grouped else None, batch, seed=3)
        made.set_epoch(epoch)
        return list(made)

    torch.manual_seed(1)
    first = order()
    torch.manual_seed(2)
    assert first == order()
    assert sorted(first) == list(range(len(lengths)))


def test_batches_hold_examples_of_like_length_the_longest_first() -> None:
    lengths = [1 + (7 * i) % 97 for i in range(200)]
    order = list(Order(200, lengths, 8, seed=1))
    batches = [[lengths[i] for i in order[at : at + 8]] for at in range(0, 200, 8)]
    assert max(batches[0]) == max(lengths)
    assert sum(max(one) - min(one) for one in batches) / len(batches) < 8
    assert list(Order(200, lengths, 8, seed=2)) != order


# What is remembered of a training


def test_best_validations_and_patience_come_from_the_history() -> None:
    history = [{"step": 1, "eval_chrf2": 3.0}, {"step": 1, "loss": 9.0}, {"step": 2, "eval_chrf2": 5.0},
               {"step": 3, "eval_chrf2": 5.0}, {"step": 4, "eval_chrf2": 4.0}]  # fmt: skip
    assert journal.best(history, "chrf2", 2) == [(5.0, 2), (5.0, 3)]
    assert journal.waited(history, "chrf2") == 2
    assert journal.best([{"step": 1, "eval_loss": 2.0}, {"step": 2, "eval_loss": 1.0}], "loss", 1) == [(1.0, 2)]
    assert journal.waited([], "loss") == 0


def test_scores_are_the_mean_over_the_directions() -> None:
    found = training.by_direction(["a-b", "b-a"], ["la casa roja es grande", "x"], ["la casa roja es grande", "kana"])
    assert found["chrf2 a-b"] == pytest.approx(100)
    assert found["chrf2"] == pytest.approx((100 + found["chrf2 b-a"]) / 2)
    assert found["geometric_mean a-b"] == pytest.approx(100)


# Checks before the first step


def _judged(*rows: Row, prompted: bool = True) -> dict[str, Any]:
    checks = Preflight(max_length=6, limit=0.5, stops={9}, prompted=prompted)
    for row in rows:
        checks.passes(row)
    return checks.judge()


GOOD = Row([1, 2, 3, 9], [MASKED, MASKED, 3, 9], "train.jsonl:1 (good)")


def test_good_rows_pass_and_are_counted() -> None:
    found = _judged(GOOD, Row([1] * 7, [MASKED] * 6 + [9], "train.jsonl:2 (long)"))
    assert found["examples"] == 1
    assert found["left_out"] == 1
    assert found["truncation"] == 0.5
    assert (found["tokens"], found["trained_tokens"], found["longest"]) == (4, 2, 7)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row([1, 2, 9], [MASKED] * 3, "train.jsonl:2 (x)"), "no token of the answer is trained"),
        (Row([1, 2, 9], [MASKED, MASKED, 9], "train.jsonl:2 (x)"), "no token of the answer is trained"),
        (Row([1, 2, 9], [1, 2, 9], "train.jsonl:2 (x)"), "every token is trained, the question too"),
        (Row([1, 2, 3], [MASKED, 2, 3], "train.jsonl:2 (x)"), "does not end with a token that ends generation"),
    ],
)
def test_what_would_train_badly_is_refused_by_name(row: Row, message: str) -> None:
    with pytest.raises(CheckFailed, match=message) as caught:
        _judged(GOOD, row)
    assert "1 of 2 examples" in caught.value.message
    assert "train.jsonl:2 (x)" in caught.value.message
    assert caught.value.hint


def test_too_many_long_examples_are_refused() -> None:
    long = Row([1] * 9, [MASKED] * 8 + [9], "train.jsonl:3 (long)")
    with pytest.raises(
        CheckFailed, match=r"2 of 3 examples are longer.*longest has 9.*train.jsonl:3 \(long\)"
    ) as caught:
        _judged(GOOD, long, long)
    assert "train.finetune.max_length" in str(caught.value)


def test_encoder_decoders_train_all_of_the_answer() -> None:
    assert _judged(Row([1, 2], [3, 9], "train.jsonl:1 (x)"), prompted=False)["tokens"] == 4


# Bases


@pytest.fixture(scope="module")
def encoder_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return byt5(tmp_path_factory.mktemp("byt5"), dim=16, layers=1)


def test_fingerprint_tells_bases_apart(encoder_decoder: Path, tmp_path: Path) -> None:
    from transformers import T5ForConditionalGeneration

    known = base.fingerprint(encoder_decoder)
    model = T5ForConditionalGeneration.from_pretrained(encoder_decoder)
    for path in encoder_decoder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    model.save_pretrained(tmp_path, max_shard_size="20kB")
    (tmp_path / "model.safetensors").unlink()
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert base.fingerprint(tmp_path) == known, "the same model, saved in parts"
    with torch.no_grad():
        model.shared.weight[0, 0] += 1
    model.save_pretrained(tmp_path, max_shard_size="20kB")
    assert base.fingerprint(tmp_path) != known
    with pytest.raises(DataError, match="not the base model that the adapter was trained on"):
        base.check_fingerprint(tmp_path, Base(id="some/base", fingerprint=known))


def test_wrong_family_is_refused(encoder_decoder: Path) -> None:
    with pytest.raises(DataError, match="'t5' cannot be trained as 'causal'") as caught:
        base.open_model(families.CAUSAL, encoder_decoder, choose(machine=CPU))
    assert caught.value.hint == "Set train.family to seq2seq."


def test_weights_that_can_run_programs_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(DataError, match="no weights in the safetensors format"):
        base.located(str(tmp_path), None, tmp_path)
    with pytest.raises(DataError, match="no model of that id on this machine") as caught:
        base.located("no-such/model", None, tmp_path)
    assert "seshat download --model no-such/model" in str(caught.value)


def test_answers_end_where_generation_config_says(tmp_path: Path) -> None:
    folder = qwen3(tmp_path, dim=16, ffn=16, layers=1, vocabulary=300)
    tokenizer = base.open_tokenizer(folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({"eos_token_id": [7, 8]}))
    assert base.stops(folder, tokenizer) == {7, 8, tokenizer.eos_token_id}


# The loop


class Killed(BaseException):
    pass


def _job(folder: Path, work: Path, scores: list[float] | None = None, **options: Any) -> loop.Job:
    """A few texts to be repeated; ``scores`` are what the validations find, one after the other."""
    from transformers import DataCollatorForSeq2Seq, set_seed

    tokenizer, backend = base.open_tokenizer(folder), choose("cpu", "float32", machine=CPU)
    texts = [tokenizer(f"text {i * i}")["input_ids"] for i in range(16)]
    rows = dataset(Row(ids, ids, f"{i}") for i, ids in enumerate(texts))
    left = list(scores or [])

    def opened() -> Any:
        set_seed(1)
        model = base.open_model(families.SEQ2SEQ, folder, backend)
        model.config.dropout_rate = 0.1
        return model

    def collate(rows: list[dict[str, Any]]) -> Any:
        batch = DataCollatorForSeq2Seq(tokenizer)(rows)
        batch["decoder_input_ids"] = batch["labels"].roll(1).clamp(min=0)
        batch["decoder_input_ids"][:, 0] = 0
        return batch

    chosen = {**CONFIGURED, **options.pop("settings", {})}
    return loop.Job(
        open=opened,
        tokenizer=tokenizer,
        phases=options.pop("phases", [(Phase("all", chosen["epochs"], 1e-3), rows)]),
        validation=rows.select(range(4)),
        settings=FineTuneSection.model_validate(chosen),
        backend=backend,
        work=work,
        seed=1,
        score=(lambda _model, _batch: {"chrf2": left.pop(0)}) if scores else None,
        collator=collate,
        **options,
    )


def _weights(model: Any) -> dict[str, Any]:
    return {name: value.detach().clone() for name, value in trained(model).items()}


def _equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_best_checkpoint_is_kept_or_the_mean_of_the_best(encoder_decoder: Path, tmp_path: Path) -> None:
    alone = loop.fit(_job(encoder_decoder, tmp_path / "a", [1.0, 7.0, 3.0, 5.0]))
    assert alone.run["phases"][0]["best_step"] == 4
    assert alone.run["phases"][0]["score"] == 7.0
    mean = loop.fit(_job(encoder_decoder, tmp_path / "b", [1.0, 7.0, 3.0, 5.0, 8.0], settings={"average": 2}))
    assert mean.run["phases"][0]["mean_of_best"] == {"steps": [4, 8], "score": 8.0, "taken": True}
    worse = loop.fit(_job(encoder_decoder, tmp_path / "c", [1.0, 7.0, 3.0, 5.0, 6.0], settings={"average": 2}))
    assert worse.run["phases"][0]["mean_of_best"]["taken"] is False
    last = loop.fit(_job(encoder_decoder, tmp_path / "d", [1.0, 2.0, 3.0, 9.0]))
    best, end, both = (_weights(one.model) for one in (alone, last, mean))
    assert _equal(best, _weights(worse.model))
    assert all(torch.allclose((best[name] + end[name]) / 2, both[name]) for name in best)
    assert not _equal(best, end)


def test_training_stops_when_nothing_is_gained(encoder_decoder: Path, tmp_path: Path) -> None:
    scores, quick = [5.0, 4.0, 4.0, 9.0], {"patience": 2}
    fitted = loop.fit(_job(encoder_decoder, tmp_path, scores, settings=quick))
    assert fitted.run["phases"][0]["steps"] == 6
    assert fitted.run["phases"][0]["planned_steps"] == 8
    assert fitted.run["phases"][0]["best_step"] == 2


@pytest.mark.parametrize("moment", [1, 5, 8])
def test_killed_training_ends_with_the_same_weights(encoder_decoder: Path, tmp_path: Path, moment: int) -> None:
    from transformers import TrainerCallback

    class Kill(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if state.global_step == moment:
                raise Killed

    def job(name: str, **options: Any) -> loop.Job:
        return _job(encoder_decoder, tmp_path / name, settings={"metric": "loss", "average": 2}, **options)

    straight = loop.fit(job("straight"))
    with pytest.raises(Killed):
        loop.fit(job("killed", callbacks=lambda _phase: [Kill()]))
    half = tmp_path / "killed" / "1-all" / "checkpoint-99"
    half.mkdir(parents=True)  # a checkpoint that the kill left unfinished
    again = loop.fit(job("killed"))
    assert _equal(_weights(straight.model), _weights(again.model))
    assert straight.log == again.log
    assert straight.run == again.run


def test_phases_follow_one_another(encoder_decoder: Path, tmp_path: Path) -> None:
    given = _job(encoder_decoder, tmp_path / "x")
    ((_, rows),) = given.phases
    phases = [(Phase("noisy", 2, 1e-3), rows.select(range(8))), (Phase("gold", 1, 5e-4), rows.select(range(8, 16)))]
    plain = {"metric": "loss"}
    fitted = loop.fit(_job(encoder_decoder, tmp_path / "both", phases=phases, settings=plain))
    assert [(one["name"], one["examples"], one["steps"]) for one in fitted.run["phases"]] == [
        ("noisy", 8, 4),
        ("gold", 8, 2),
    ]
    losses = {row["phase"]: row["loss"] for row in reversed(fitted.log) if "loss" in row}
    assert losses["gold"] < losses["noisy"], "the first loss of gold is after what noisy has taught"
    rates = [row["learning_rate"] for row in fitted.log if row.get("phase") == "gold" and "learning_rate" in row]
    assert max(rates) <= 5e-4
    assert not list(tmp_path.rglob("checkpoint-*"))


def test_two_models_are_never_there_at_once(encoder_decoder: Path, tmp_path: Path) -> None:
    """A GPU that holds one would be too small for what follows the last step."""
    job = _job(encoder_decoder, tmp_path, settings={"metric": "loss", "max_steps": 2})
    opened = job.open
    seen: list[Any] = []

    def watched() -> Any:
        assert [model() for model in seen] == [None] * len(seen)
        model = opened()
        seen.append(weakref.ref(model))
        return model

    job.open = watched
    gc.disable()  # it might come by chance
    try:
        loop.fit(job)
    finally:
        gc.enable()
    assert len(seen) == 2


def _short_of_memory(error: BaseException, most: int, first: int = 0) -> Any:
    """Gives a Trainer that runs out of memory with more than ``most`` examples, from step ``first`` on."""

    from transformers import Trainer, TrainingArguments

    class Short(Trainer):  # type: ignore[misc]
        def training_step(self, model: Any, inputs: Any, *others: Any, **more: Any) -> Any:
            if len(inputs["input_ids"]) > most and self.state.global_step >= first:
                raise error
            return super().training_step(model, inputs, *others, **more)

    return Short, TrainingArguments


ALLOCATOR = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to …"


@pytest.mark.parametrize(
    ("error", "first"), [(torch.OutOfMemoryError("CUDA out of memory."), 0), (RuntimeError(ALLOCATOR), 3)]
)
def test_out_of_memory_goes_on_with_smaller_batches(
    encoder_decoder: Path, tmp_path: Path, error: RuntimeError, first: int
) -> None:
    plain = {"metric": "loss"}
    job = _job(encoder_decoder, tmp_path / "short", trainer=_short_of_memory(error, 1, first), settings=plain)
    fitted = loop.fit(job)
    assert (fitted.run["batch"], fitted.run["accumulate"]) == (1, 4)
    assert fitted.run["events"] == [
        {"event": "out of memory", "phase": "all", "batch": 2, "accumulate": 2},
        {"event": "out of memory", "phase": "all", "batch": 1, "accumulate": 4},
    ]
    assert [row for row in fitted.log if row.get("event") == "out of memory"] == fitted.run["events"]
    assert fitted.run["phases"][0]["steps"] == 8
    whole = loop.fit(_job(encoder_decoder, tmp_path / "whole", settings=plain))
    end, wanted = (one.run["phases"][0]["score"] for one in (fitted, whole))
    assert end == pytest.approx(wanted, rel=0.05), "the same steps, but for dropout"


def test_accumulation_changes_nothing(encoder_decoder: Path, tmp_path: Path) -> None:
    """The same loss, gradients and steps from one batch of four and from four batches of one."""
    found = []
    for batch in (4, 1):
        settings = {"metric": "loss", "batch": batch, "accumulate": 4 // batch, "max_grad_norm": 1e9}
        job = _job(encoder_decoder, tmp_path / str(batch), settings=settings)
        job.open = partial(_without_dropout, job.open)
        found.append(loop.fit(job))
    names = ("loss", "eval_loss", "grad_norm")
    one, other = ([row[name] for row in fitted.log for name in names if name in row] for fitted in found)
    assert one == pytest.approx(other, rel=1e-3)
    assert len(one) == 12


def _without_dropout(opened: Callable[[], Any]) -> Any:
    model = opened()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def test_no_memory_for_one_example_says_what_to_do(encoder_decoder: Path, tmp_path: Path) -> None:
    short = _short_of_memory(torch.OutOfMemoryError("CUDA out of memory."), 0)
    with pytest.raises(SeshatError, match="Out of memory with 1 examples") as caught:
        loop.fit(_job(encoder_decoder, tmp_path, trainer=short, settings={"metric": "loss"}))
    assert "activation_checkpointing" in str(caught.value)


def test_other_errors_are_not_taken_for_a_lack_of_memory(encoder_decoder: Path, tmp_path: Path) -> None:
    assert not out_of_memory(RuntimeError("shapes do not match"))
    assert out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"))
    short = _short_of_memory(RuntimeError("shapes do not match"), 0)
    with pytest.raises(RuntimeError, match="shapes"):
        loop.fit(_job(encoder_decoder, tmp_path, trainer=short, settings={"metric": "loss"}))


def test_diverged_training_stops(encoder_decoder: Path, tmp_path: Path) -> None:
    given = _job(encoder_decoder, tmp_path, settings={"metric": "loss"})
    given.phases = [(Phase("all", 2, 1e30), given.phases[0][1])]
    with pytest.raises(SeshatError, match="no number any more"):
        loop.fit(given)


def test_sharding_files_are_passed_on(tmp_path: Path) -> None:
    (tmp_path / "ds.json").write_text('{"zero_optimization": {"stage": 2}}')
    (tmp_path / "fsdp.json").write_text('{"fsdp": "full_shard", "fsdp_config": {"cpu_ram_efficient_loading": true}}')
    settings = FineTuneSection(distributed="ds.json")
    assert distributed(settings, tmp_path) == {"deepspeed": str(tmp_path / "ds.json")}
    assert distributed(settings.model_copy(update={"distributed": "fsdp.json"}), tmp_path) == {
        "fsdp": "full_shard",
        "fsdp_config": {"cpu_ram_efficient_loading": True},
    }
    with pytest.raises(UsageError, match=r"none\.json: train\.finetune\.distributed cannot be read"):
        distributed(settings.model_copy(update={"distributed": "none.json"}), tmp_path)
