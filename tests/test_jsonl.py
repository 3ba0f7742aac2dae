from __future__ import annotations

from pathlib import Path

import pytest

from seshat.errors import DataError
from seshat.jsonl import atomic_write, read_jsonl, write_jsonl
from seshat.records import Access, Meta, Segment


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "segments.jsonl"
    segments = [
        Segment(id=f"s{i}", texts={"xx": f"ñá {i}", "es": "hola"}, meta=Meta(access=Access.PUBLIC)) for i in range(3)
    ]
    assert write_jsonl(path, segments) == 3
    assert list(read_jsonl(path, Segment)) == segments


def test_unknown_access_reads_as_restricted() -> None:
    assert Meta.model_validate({"access": "friends only"}).access is Access.RESTRICTED
    assert Meta().access is Access.RESTRICTED
    assert Access.COMMUNITY.allows(Access.PUBLIC)
    assert not Access.PUBLIC.allows(Access.REGISTERED)


def test_bad_line_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "segments.jsonl"
    path.write_text('{"id": "a", "texts": {}}\n{"id": 3}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"segments\.jsonl:2: not a Segment"):
        list(read_jsonl(path, Segment))


def test_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as stream:
        stream.write("half")
        raise KeyboardInterrupt
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_is_said_in_plain_words() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    from seshat.jsonl import cannot_write

    with pytest.raises(OSError, match="No space left") as caught, full.open("w") as stream:
        stream.write("x")
        stream.flush()
    assert "disk is full" in str(cannot_write(full, caught.value))
