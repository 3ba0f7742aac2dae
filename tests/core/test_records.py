from __future__ import annotations

from seshat.core.records import hyphenated


def test_clitics_bring_their_own_sign() -> None:
    assert hyphenated(("ka", "ta", "=a")) == "ka-ta=a"
    assert hyphenated(("ko=", "gal")) == "ko=gal"
    assert hyphenated(("bi", "~bi")) == "bi~bi"
    assert hyphenated(()) == ""
