"""Side by side with peers and with published figures: ``make bench-list``, ``make bench NAME=…``.

A benchmark is a module here with ``SUMMARY`` (one line: what it compares) and ``main()``, which prints a table and
returns its figures. :mod:`benchmarks.__main__` runs it and writes ``results/NAME.json``.
"""
