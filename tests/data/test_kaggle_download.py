"""Kaggle competitions and datasets below data/raw, from a stand-in of Kaggle on the loopback interface."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kaggle_server import KEY, USER, Kaggle, kaggle_server, zipped

from seshat.config import Config
from seshat.core.errors import DataError
from seshat.data import download
from seshat.data.kaggle_api import Credentials
from seshat.project.folder import Project

CONTENT = random.Random(1).randbytes(2_000_000)
ALL, TRAIN = "competitions/data/download-all/tablets", "competitions/data/download/tablets/train.csv"


@pytest.fixture
def kaggle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kaggle]:
    """The stand-in, with credentials in the environment and no others."""
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    monkeypatch.setenv("KAGGLE_KEY", KEY)
    monkeypatch.setattr("seshat.core.net.PAUSE", 0.0)
    with kaggle_server() as server:
        monkeypatch.setenv("KAGGLE_API_URL", server.api)
        yield server


def make(root: Path, **source: Any) -> Project:
    source = source or {"competition": "tablets", "files": {"train.csv": "translations/train.csv"}}
    config = {"download": {"kaggle": [source]}, "project": {"language": "akk", "pivot": "en"}}
    return Project(root, Config.model_validate(config))


def parts(project: Project) -> list[str]:
    folder = project.state / "download"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_files_of_a_competition_are_fetched_once_and_their_checksums_kept(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.files[TRAIN] = zipped(train_csv=b"packed by Kaggle")
    kaggle.files["competitions/data/download/tablets/test.csv"] = b"id\n"
    files = {"train.csv": "translations/train.csv", "test.csv": "test/test.csv"}
    project = make(tmp_path, competition="tablets", files=files)
    assert download.run(project)["fetched"] == list(files.values())
    assert (project.raw / "translations/train.csv").read_bytes() == b"packed by Kaggle"
    kept = json.loads((project.raw / "checksums.json").read_text())["Kaggle competition 'tablets'"]
    assert kept["test/test.csv"] == {"bytes": 3, "sha256": hashlib.sha256(b"id\n").hexdigest()}
    # Storage is another server: it gets the address that Kaggle signed, and no credentials.
    assert {(path.startswith("storage:"), brought) for path, _, brought in kaggle.asked} == {
        (False, True),
        (True, False),
    }
    asked = len(kaggle.asked)
    (project.raw / "test/test.csv").write_bytes(b"mine")
    again = download.run(project)
    assert (again["already_there"], again["fetched"], len(kaggle.asked)) == (list(files.values()), [], asked)
    assert again["warnings"] == ["test/test.csv is not as it was fetched; take it away to fetch it again"]
    assert parts(project) == []


def test_what_came_before_a_refusal_stays_and_is_recorded(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.files[TRAIN] = b"first"
    project = make(tmp_path, competition="tablets", files={"train.csv": "train.csv", "none.csv": "none.csv"})
    with pytest.raises(DataError, match="no such file in it"):
        download.run(project)
    kept = json.loads((project.raw / "checksums.json").read_text())["Kaggle competition 'tablets'"]
    assert list(kept) == ["train.csv"]


def test_an_interrupted_transfer_goes_on_where_it_stopped(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.files[TRAIN] = CONTENT
    kaggle.cuts = [300_000, 900_000]
    project = make(tmp_path)
    download.run(project)
    assert (project.raw / "translations/train.csv").read_bytes() == CONTENT
    ranges = [asked for path, asked, _ in kaggle.asked if path.startswith("storage:")]
    assert ranges == [None, "bytes=300000-", "bytes=1200000-"]


def test_the_next_command_goes_on_and_a_changed_file_starts_anew(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.files[TRAIN] = CONTENT
    kaggle.cuts = [100_000, *[10] * (4)]
    project = make(tmp_path)
    with pytest.raises(DataError, match=r"broke off after 100,040 of (?s:.*)it goes on after the 100,040 bytes"):
        download.run(project)
    assert not (project.raw / "translations").exists()
    kaggle.files[TRAIN], kaggle.etag = CONTENT[::-1], '"two"'
    download.run(project)
    assert (project.raw / "translations/train.csv").read_bytes() == CONTENT[::-1]
    assert parts(project) == []


def test_a_damaged_transfer_is_refused(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.files[TRAIN], kaggle.wrong_md5 = CONTENT, True
    with pytest.raises(DataError, match="not the file that was meant: md5"):
        download.run(make(tmp_path))
    assert not (tmp_path / "data/raw/translations").exists()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, ("rules have not been accepted", "You must accept the rules", "competitions/tablets/rules")),
        (404, ("knows no such competition", "the last part of its address")),
        (429, ("too many requests", "Wait a few minutes")),
        (503, ("has trouble (503", "Try again later")),
    ],
)
def test_refusals_say_what_to_do(kaggle: Kaggle, tmp_path: Path, status: int, words: tuple[str, ...]) -> None:
    kaggle.statuses[TRAIN] = status
    with pytest.raises(DataError) as caught:
        download.run(make(tmp_path))
    assert all(word in str(caught.value) for word in words), caught.value
    assert KEY not in str(caught.value)


def test_wrong_and_missing_credentials(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KEY", "wrong")
    with pytest.raises(DataError, match=r"does not accept the credentials of KAGGLE_USERNAME and KAGGLE_KEY \(401"):
        download.run(make(tmp_path))
    monkeypatch.delenv("KAGGLE_KEY")
    with pytest.raises(DataError, match=r"no credentials for Kaggle\.(?s:.*)kaggle\.com/settings(?s:.*)--from FOLDER"):
        download.run(make(tmp_path))
    folder = tmp_path / "home" / ".kaggle"
    folder.mkdir(parents=True)
    (folder / "kaggle.json").write_text('{"username": "scribe"}')
    with pytest.raises(DataError, match=r"kaggle\.json: this is not"):
        Credentials.find()
    (folder / "kaggle.json").write_text(json.dumps({"username": USER, "key": KEY}))
    assert Credentials.find().user == USER
    monkeypatch.setenv("KAGGLE_API_TOKEN", "token")
    kaggle.files[TRAIN] = b"x"
    assert download.run(make(tmp_path))["fetched"] == ["translations/train.csv"]


def test_credentials_go_to_no_unsafe_address(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_URL", "http://example.org/api/v1")
    with pytest.raises(DataError, match="no key or password is sent there"):
        download.run(make(tmp_path))


def test_a_whole_archive_and_a_dataset(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.files[ALL] = zipped(train_csv=b"a", deep__b_csv=b"b")
    kaggle.files["datasets/download/scribe/names"] = zipped(c_csv=b"c")
    project = make(tmp_path, competition="tablets", path="all")
    assert download.run(project)["fetched"] == ["all/train.csv", "all/deep/b.csv"]
    assert download.run(project)["already_there"] == ["all/train.csv", "all/deep/b.csv"]
    assert download.run(make(tmp_path, dataset="scribe/names"))["fetched"] == ["kaggle/c.csv"]


def unsafe(name: str, mode: int = 0o100644, content: bytes = b"x" * 100) -> bytes:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("fine.csv", b"fine")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (unsafe("../../escaped.csv"), "leads out of the folder"),
        (unsafe("/escaped.csv"), "leads out of the folder"),
        (unsafe("..\\escaped.csv"), "leads out of the folder"),
        (unsafe("link", 0o120777, b"/etc/passwd"), "is a link"),
        (unsafe("FINE.csv"), "stands there twice"),
        (unsafe("large.csv", content=b"x" * 2_000_000), "when unpacked; the limit is"),
        (zipped(a=CONTENT)[:-50], "damaged archive"),
    ],
)
def test_archives_that_are_not_safe_leave_nothing(kaggle: Kaggle, tmp_path: Path, archive: bytes, why: str) -> None:
    kaggle.files[ALL] = archive
    project = make(tmp_path / "project", competition="tablets", max_gigabytes=0.001)
    with pytest.raises(DataError, match=why):
        download.run(project)
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".csv" or path.name == "link"] == []


def test_from_a_folder_nothing_is_asked(kaggle: Kaggle, tmp_path: Path) -> None:
    folder = tmp_path / "browser"
    folder.mkdir()
    (folder / "tablets.zip").write_bytes(zipped(train_csv=b"from the archive"))
    project = make(tmp_path / "project")
    assert download.run(project, folder)["fetched"] == ["translations/train.csv"]
    assert (project.raw / "translations/train.csv").read_bytes() == b"from the archive"
    (folder / "tablets.zip").unlink()
    with pytest.raises(DataError, match=r"holds neither 'train\.csv' nor tablets\.zip"):
        download.run(make(tmp_path / "other"), folder)
    (folder / "train.csv").write_bytes(b"as it is")
    download.run(make(tmp_path / "other"), folder)
    assert (tmp_path / "other/data/raw/translations/train.csv").read_bytes() == b"as it is"
    assert kaggle.asked == []
