"""No module imports itself by way of others."""

from __future__ import annotations

import grimp


def test_there_are_no_circles() -> None:
    graph = grimp.build_graph("seshat", exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    circles = []
    while imports:  # modules that import none of those that are left can be in no circle
        free = [module for module, wanted in imports.items() if not wanted & imports.keys()]
        if not free:
            circles = sorted(imports)
            break
        for module in free:
            del imports[module]
    assert circles == []
