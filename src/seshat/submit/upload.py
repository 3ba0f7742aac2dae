"""Brings a bundle to Kaggle: a private dataset and a notebook without internet, or new versions of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from seshat.core.errors import DataError, UsageError
from seshat.data.kaggle_api import Kaggle, Subject
from seshat.submit.kaggle import NOTEBOOK, read_metadata

WAIT = 10.0
"""Seconds between two questions whether Kaggle has taken in a dataset."""
MOST_WAITS = 90


def upload_bundle(bundle: Path) -> dict[str, str]:
    """Create dataset and notebook, or make new versions of them.

    Returns:
        ``dataset`` and ``notebook``: their addresses.

    Raises:
        UsageError: nobody said whose they are.
        DataError: no credentials, or Kaggle refuses.
    """
    dataset, kernel = read_metadata(bundle)
    if dataset["id"].startswith("OWNER/"):
        raise UsageError("Whose dataset? Your name on Kaggle is not known.", "Set submit.kaggle.owner.")
    about = Subject("dataset", dataset["id"])
    with Kaggle() as client:
        status = f"datasets/status/{about.name}"
        is_there = client.get(status, about) is not None
        content = _folder(client, bundle / "dataset", about)
        if is_there:
            body = {"versionNotes": "seshat submit --upload", **content}
            client.post(f"datasets/create/version/{about.name}", body, about)
        else:
            owner, _, slug = about.name.partition("/")
            body = {"ownerSlug": owner, "slug": slug, "title": dataset["title"], "licenseName": "other"}
            client.post("datasets/create/new", {**body, "isPrivate": True, **content}, about)
        _wait(client, status, about)
        pushed = _push(client, bundle, kernel)
    return {"dataset": about.page, "notebook": pushed}


def _folder(client: Kaggle, folder: Path, about: Subject) -> dict[str, Any]:
    """Upload the files of a folder; gives their tokens, and those of the folders in it."""
    entries = sorted(folder.iterdir())
    files = [{"token": client.upload(one, about)} for one in entries if one.is_file()]
    folders = [{"name": one.name, **_folder(client, one, about)} for one in entries if one.is_dir()]
    return {"files": files, "directories": folders}


def _wait(client: Kaggle, status: str, about: Subject) -> None:
    """A notebook can name a dataset only when Kaggle has taken it in."""
    for _ in range(MOST_WAITS):
        found = client.get(status, about) or {}
        state = str(found.get("status", "")).lower()
        if state == "ready":
            return
        if state in {"error", "failed"}:
            raise DataError(f"{about}: Kaggle could not take it in.", f"Look at {about.page}")
        time.sleep(WAIT)
    raise DataError(f"{about}: Kaggle has not taken it in yet.", "Run the same command again later.")


def _push(client: Kaggle, bundle: Path, kernel: dict[str, Any]) -> str:
    about = Subject("notebook", kernel["id"])
    answer = client.post(
        "kernels/push",
        {
            "slug": kernel["id"],
            "newTitle": kernel["title"],
            "text": (bundle / "notebooks" / NOTEBOOK).read_text(encoding="utf-8"),
            "language": kernel["language"],
            "kernelType": kernel["kernel_type"],
            "isPrivate": kernel["is_private"],
            "enableGpu": kernel["enable_gpu"],
            "enableTpu": kernel["enable_tpu"],
            "enableInternet": kernel["enable_internet"],
            "datasetDataSources": kernel["dataset_sources"],
            "competitionDataSources": kernel["competition_sources"],
            "kernelDataSources": kernel["kernel_sources"],
            "modelDataSources": kernel["model_sources"],
            "categoryIds": [],
        },
        about,
    )
    refused = [*answer.get("invalidDatasetSources", ()), *answer.get("invalidCompetitionSources", ())]
    if refused:
        raise DataError(f"{about}: Kaggle does not accept as input: {', '.join(refused)}.", "Accept the rules there.")
    return str(answer.get("url") or about.page)
