"""Which bytes a text file is made of: BOM, strict UTF-8, UTF-16 by its NULs, else what the caller declares.

Nothing is ever replaced: a file that cannot be decoded is refused with the place and a proposed encoding.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vigilance.errors import InputRefused, UsageError
from vigilance.i18n import messages
from vigilance.ingest.readers import scratch

_ = messages("readers")

_HEAD: Final = 65_536
_CHUNK: Final = 4 * 1024 * 1024
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class NotUtf8(InputRefused):
    """A file with bytes that are not UTF-8; it may still be read in another encoding."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text file as UTF-8. ``path`` is the file itself or a scratch copy; ``start`` skips a byte-order mark."""

    path: Path
    encoding: str
    start: int

    def original(self, content: bytes) -> bytes:
        """Bytes of ``path`` as they stood in the user's file."""
        return content if self.encoding == "utf-8" else content.decode().encode(self.encoding)


def open_text(path: Path, name: str, encoding: str | None = None) -> Text:
    """Settle the encoding of ``path``; ``name`` is what to call the file in errors.

    UTF-8 is assumed here and proved later, in the scan that reads all bytes anyway (``refuse_bytes`` is its verdict).
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    found, start = _from_bom(head)
    false = _is_false(head, found, start)
    if encoding is None and not false and _is_contradicted(head, found):
        raise _contradicted(name, found)
    if encoding is not None:
        codec = _codec(encoding)
        if codec in ("utf-8", "utf-8-sig"):
            return _transcode(path, name, codec, start) if false else Text(path, "utf-8", start * (found == "utf-8"))
        if false:
            raise _contradicted(name, found)
        if not codec.startswith(("utf-16", "utf-32")):
            start = 0
        return _transcode(path, name, found if codec in ("utf-16", "utf-32") and found else codec, start)
    found = found or _from_nuls(head)
    if false:
        return _transcode(path, name, "utf-8", start)
    if found in (None, "utf-8"):
        return Text(path, "utf-8", start)
    return _transcode(path, name, found or "utf-8", start)


def _codec(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise UsageError(_("there is no encoding named '{name}'").format(name=encoding)) from None


def _from_bom(head: bytes) -> tuple[str | None, int]:
    for bom, encoding in _BOMS:
        # FF FE 00 00 is also UTF-16 with a NUL, but no text begins with a NUL.
        if head.startswith(bom):
            # Files put together by programs carry one mark per program.
            start = len(bom)
            while encoding == "utf-8" and head.startswith(bom, start):
                start += len(bom)
            return encoding, start
    return None, 0


def false_mark(path: Path) -> str:
    """The encoding that a byte-order mark claims for what is UTF-8 without it; empty where none does."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    found, start = _from_bom(head)
    return found if found and _is_false(head, found, start) else ""


def _is_false(head: bytes, found: str | None, start: int) -> bool:
    """Whether a mark of UTF-16 or UTF-32 stands before UTF-8."""
    return _is_contradicted(head, found) and _is_text(head[start:])


def _is_contradicted(head: bytes, found: str | None) -> bool:
    """Whether a mark of UTF-16 or UTF-32 stands before other text: every line end and delimiter of these has a NUL."""
    marked = found not in (None, "utf-8")
    return marked and b"\0" not in head and re.search(rb"[\r\n,;\t|]", head) is not None


def _contradicted(name: str, found: str | None) -> InputRefused:
    return InputRefused(
        _("{file}, line 1: the first bytes say {encoding}, but the rest is not").format(file=name, encoding=found),
        hint=_("save the file as UTF-8, or name its encoding"),
    )


def _is_text(content: bytes) -> bool:
    """Whether bytes are UTF-8, the last character perhaps cut."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(content) - 3
    return True


def _from_nuls(head: bytes) -> str | None:
    """UTF-16 without a mark: Latin text has a NUL in every second byte, and in those only."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4:
        return None
    nul_even, nul_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if nul_odd > 0.7 and nul_even < 0.05:
        return "utf-16-le"
    if nul_even > 0.7 and nul_odd < 0.05:
        return "utf-16-be"
    return None


def _transcode(path: Path, name: str, encoding: str, start: int) -> Text:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    target = scratch.new_file(".csv")
    done = start
    with path.open("rb") as source, target.open("wb") as out:
        source.seek(start)
        while True:
            chunk = source.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
                out.write(text.encode())
            except UnicodeError as error:
                offset = done + getattr(error, "start", 0)
                raise InputRefused(
                    _("{file}: byte {offset} is not {encoding}").format(file=name, offset=offset, encoding=encoding),
                    hint=_("save the file as UTF-8, or name its encoding"),
                ) from None
            if not chunk:
                return Text(target, encoding, 0)
            done += len(chunk)


def refuse_bytes(path: Path, name: str, offset: int) -> InputRefused:
    """The refusal of a file with a NUL or bytes that are not UTF-8 at ``offset``, with line and proposal."""
    line, bad = _line_of(path, offset)
    where = _("{file}, line {line}, byte {offset}").format(file=name, line=line, offset=offset)
    if bad == 0:
        return InputRefused(
            _("{where}: a NUL byte, which no text file holds").format(where=where),
            hint=_("the file is damaged or is not text; export it again as CSV in UTF-8"),
        )
    proposal, mixed = propose(path)
    text = (
        _("{where}: byte 0x{bad:02x} is not UTF-8, though other characters are: mixed encodings")
        if mixed
        else _("{where}: byte 0x{bad:02x} is not UTF-8")
    )
    return (InputRefused if mixed else NotUtf8)(
        text.format(where=where, bad=bad),
        hint=_("save the file as UTF-8, or name its encoding; it may be {proposal}").format(proposal=proposal),
    )


def _line_of(path: Path, offset: int) -> tuple[int, int]:
    lf = cr = 0
    done = 0
    with path.open("rb") as file:
        while done < offset:
            chunk = file.read(min(_CHUNK, offset - done))
            if not chunk:
                break
            lf, cr, done = lf + chunk.count(b"\n"), cr + chunk.count(b"\r"), done + len(chunk)
        byte = file.read(1)
    return max(lf, cr) + 1, byte[0] if byte else 0


def propose(path: Path) -> tuple[str, bool]:
    """A likely encoding of a text that is not UTF-8, for a hint only; and whether it holds valid UTF-8 too."""
    with path.open("rb") as file:
        sample = file.read(_CHUNK)
    high = sum(byte >= 0x80 for byte in sample[: _HEAD * 4])
    valid = sum(ord(char) > 0x7F for char in sample[: _HEAD * 4].decode("utf-8", "ignore"))
    mixed = valid >= 2 and high > 2 * valid
    c1 = any(0x80 <= byte <= 0x9F for byte in sample)
    if c1 and not any(byte in b"\x81\x8d\x8f\x90\x9d" for byte in sample):
        return "cp1252", mixed
    return ("cp850 / mac-roman" if c1 else "cp1252 / latin-1"), mixed
