from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seshat.core.errors import DataError
from seshat.core.gate import Gate
from seshat.core.jsonl import atomic_write, dump, read_jsonl, write_json, write_jsonl, write_text
from seshat.core.records import Access, Document, Entry, Example, Meta, Origin, Segment, Sense


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
    assert Gate(Access.COMMUNITY).admits(Access.PUBLIC)
    assert not Gate(Access.PUBLIC).admits(Access.REGISTERED)


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
    from seshat.core.jsonl import cannot_write

    with pytest.raises(OSError, match="No space left") as caught, full.open("w") as stream:
        stream.write("x")
        stream.flush()
    assert "disk is full" in str(cannot_write(full, caught.value))


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
META = st.builds(
    Meta,
    doc_id=st.none() | TEXT,
    origin=st.none() | st.builds(Origin, file=TEXT, line=st.none() | st.integers(1, 9)),
    access=st.sampled_from(Access),
    score=st.none() | st.floats(0, 1),
    tags=st.lists(TEXT, max_size=2).map(tuple),
    extra=st.dictionaries(TEXT, TEXT, max_size=2),
)
RECORDS = st.one_of(
    st.builds(Segment, id=TEXT, texts=st.dictionaries(TEXT, TEXT, max_size=3), meta=META),
    st.builds(
        Entry,
        id=TEXT,
        lang=TEXT,
        headword=TEXT,
        senses=st.lists(
            st.builds(
                Sense,
                glosses=st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2),
                examples=st.lists(st.builds(Example, texts=st.dictionaries(TEXT, TEXT)), max_size=2).map(tuple),
            ),
            max_size=2,
        ).map(tuple),
        meta=META,
    ),
    st.builds(Document, id=TEXT, texts=st.dictionaries(TEXT, st.lists(TEXT).map(tuple), max_size=2), meta=META),
)


@settings(deadline=None)
@given(RECORDS)
def test_every_record_is_one_line_and_comes_back(record: Segment | Entry | Document) -> None:
    line = dump(record)
    assert "\n" not in line
    assert type(record).model_validate_json(line.encode()) == record


@pytest.mark.parametrize("line", [b"{", b"\xff\xfe{}", b"null", b'{"id": "a"}', b'{"id": "a", "texts": {}, "x": 1}'])
def test_whatever_is_no_record_names_its_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "segments.jsonl"
    path.write_bytes(b'{"id": "a", "texts": {}}\n\n' + line + b"\n")
    with pytest.raises(DataError, match=r"segments\.jsonl:3: not a Segment"):
        list(read_jsonl(path, Segment))


def test_a_missing_file_has_no_records_and_a_folder_is_no_file(tmp_path: Path) -> None:
    assert list(read_jsonl(tmp_path / "none.jsonl", Segment)) == []
    with pytest.raises(DataError, match="cannot read: it is a folder"):
        list(read_jsonl(tmp_path, Segment))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EMFILE, "Too many open files"),
    ],
)
@pytest.mark.parametrize("step", ["tempfile.mkstemp", "os.fsync", "Path.replace"])
def test_every_step_of_a_write_can_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str, step: str
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old", encoding="utf-8")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(f"seshat.core.jsonl.{step}", fail)
    with pytest.raises(DataError, match=f"cannot write: {reason}"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_about_another_file_is_not_taken_for_a_failed_write(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "out.txt") as stream:
        stream.write((tmp_path / "in.txt").read_text(encoding="utf-8"))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no locks on open files")
def test_what_a_killed_writer_leaves_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    code = (
        "import sys, pathlib; from seshat.core.jsonl import atomic_write\n"
        "with atomic_write(pathlib.Path(sys.argv[1])) as stream:\n"
        "    stream.write('half'); stream.flush(); print('ready', flush=True); sys.stdin.read()"
    )
    arguments = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        write_json(path, 1)
        assert len(list(tmp_path.iterdir())) == 2  # the other writer is alive: its file stays
        writer.send_signal(signal.SIGKILL)
    write_json(path, 2)
    assert [one.name for one in tmp_path.iterdir()] == ["out.json"]
    assert path.read_text(encoding="utf-8") == "2\n"


def test_permissions_of_a_replaced_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write_text(path, "a")
    path.chmod(0o600)
    write_text(path, "b")
    assert path.stat().st_mode & 0o777 == 0o600
