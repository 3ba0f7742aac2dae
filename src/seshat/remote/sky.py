"""A task file for SkyPilot, which rents the machine, runs the same commands there, and gives it back.

https://docs.skypilot.co/en/latest/reference/yaml-spec.html
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Sequence

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from seshat import __version__
from seshat.project.folder import Project
from seshat.remote.parcel import Parcel


def task_yaml(project: Project, parcel: Parcel, arguments: Sequence[str], accelerator: str) -> str:
    """The task: what is mounted, installed and run.

    Args:
        project: its files are mounted one by one, so that nothing else of its folder leaves this machine.
        parcel: what is sent.
        arguments: a command of Seshat and its options.
        accelerator: such as ``A100:1`` or ``RTX4090:1``.
    """
    mounts = {f"~/project/{name}": str(project.root.resolve() / name) for name in parcel.names}
    settings = "cat > ~/project/seshat.yaml <<'SESHAT_SETTINGS'\n" + parcel.settings + "SESHAT_SETTINGS\n"
    task = {
        "name": "seshat",
        "resources": {"accelerators": accelerator, "disk_size": 100},
        "file_mounts": mounts,
        "setup": LiteralScalarString(f"pip install 'seshat-toolkit[train]=={__version__}'\n{settings}"),
        "run": LiteralScalarString(f"seshat {shlex.join(arguments)} --project ~/project\n"),
    }
    writer, stream = YAML(), io.StringIO()
    writer.dump(task, stream)
    return stream.getvalue()
