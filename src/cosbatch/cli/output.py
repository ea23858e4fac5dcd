"""How numbers, times and tables look to people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click


def print_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """One line, to standard output: valid UTF-8 whatever the terminal speaks, with half characters as escapes."""
    click.echo(json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; cells are shown on one line."""
    cells = [list(header), *[[one_line(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """``name  value`` lines, aligned; empty values are left out."""
    shown = [(name, one_line(value)) for name, value in rows if value]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in shown)


def one_line(text: str) -> str:
    """Keys are opaque: what a terminal would act on is shown as an escape."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    """A byte that is no UTF-8 was read as half a character, and is shown as the byte."""
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def count(number: int) -> str:
    return f"{number:,}"


def counted(number: int, word: str) -> str:
    """``1 task``, ``2,000 tasks``."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def size(size_bytes: float) -> str:
    """``1.5 GB``: powers of ten, as storage is sold."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:,.1f} PB"


def duration(seconds: float) -> str:
    """``1:02:03``, ``2 d 1:02:03``."""
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    text = f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{days} d {text}" if days else text
