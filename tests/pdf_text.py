"""The text of a PDF as a reader would copy it: enough of the format for the documents that the tracker makes."""

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)endstream", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+)")
_REFERENCE = re.compile(rb"/(\w+) (\d+) 0 R")
_FONT = re.compile(rb"/(\w+) [\d.]+ Tf")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_CHAR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_ACTUAL = re.compile(rb"/ActualText\s*(?:\((?:[^\\()]|\\.)*\)|<[0-9A-Fa-f]*>)", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf: bytes) -> str:
    """The words of every page in the order in which they are drawn; zero-width marks and line breaks left out."""
    objects = _objects(pdf)
    maps = {number: _map(objects, body) for number, body in objects.items() if b"/Type0" in body}
    found = []
    for body in objects.values():
        if re.search(rb"/Type\s*/Page\b", body):
            names = {name: int(number) for name, number in _fonts(objects, body)}
            contents = re.search(rb"/Contents\s+(\d+) 0 R", body)
            assert contents, "a page without contents"
            found.append(_page(_content(objects[int(contents[1])]), names, maps))
    return " ".join(" ".join(found).replace("\u200b", "").split())


def squeezed(text: str) -> str:
    """Text without any space: a line that was broken reads the same."""
    return "".join(text.replace("\u200b", "").split())


def _objects(pdf: bytes) -> dict[int, bytes]:
    """Every object by number, those of object streams too."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    for body in list(objects.values()):
        if b"/ObjStm" in body:
            head, text = body, _content(body)
            first = int(re.search(rb"/First (\d+)", head)[1])  # type: ignore[index]
            numbers = [int(part) for part in text[:first].split()]
            starts = [*numbers[1::2], len(text) - first]
            for position, number in enumerate(numbers[::2]):
                objects[number] = text[first + starts[position] : first + starts[position + 1]]
    return objects


def _content(body: bytes) -> bytes:
    raw, length = _STREAM.search(body), _LENGTH.search(body)
    assert raw, "an object without a stream"
    assert length, "a stream without its length"
    content = raw[1][: int(length[1])]
    return zlib.decompress(content) if b"/FlateDecode" in body else content


def _fonts(objects: dict[int, bytes], page: bytes) -> list[tuple[bytes, bytes]]:
    resources = re.search(rb"/Resources\s+(\d+) 0 R", page)
    place = objects[int(resources[1])] if resources else page
    listed = re.search(rb"/Font\s*<<(.*?)>>", place, re.DOTALL)
    return _REFERENCE.findall(listed[1]) if listed else []


def _map(objects: dict[int, bytes], font: bytes) -> dict[int, str]:
    """What each glyph means, from the font's own table."""
    reference = re.search(rb"/ToUnicode (\d+) 0 R", font)
    assert reference, "a font that cannot be read back"
    table = _content(objects[int(reference[1])])
    found: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        found |= {int(code, 16): _utf16(text) for code, text in _CHAR.findall(block)}
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for low, high, text in _RANGE.findall(block):
            start = ord(_utf16(text)[-1])
            found |= {code: chr(start + step) for step, code in enumerate(range(int(low, 16), int(high, 16) + 1))}
    return found


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be")


def _page(content: bytes, names: dict[bytes, int], maps: dict[int, dict[int, str]]) -> str:
    words: list[str] = []
    for whole in re.findall(rb"\bBT\b(.*?)\bET\b", content, re.DOTALL):
        block = _ACTUAL.sub(b"", whole)  # says again what the glyphs after it mean
        font = _FONT.search(block)
        table = maps.get(names.get(font[1], -1), {}) if font else {}
        raw = b"".join(_strings(block))
        codes = [int.from_bytes(raw[start : start + 2], "big") for start in range(0, len(raw), 2)]
        words.append("".join(table.get(code, "") for code in codes))
    return " ".join(words)


def _strings(block: bytes) -> list[bytes]:
    """The strings of a text block; brackets inside a string come in pairs or are escaped."""
    found, depth, start, position = [], 0, 0, 0
    while position < len(block):
        char = block[position : position + 1]
        if char == b"\\" and depth:
            position += 1
        elif char == b"(":
            depth += 1
            start = position + 1 if depth == 1 else start
        elif char == b")" and depth:
            depth -= 1
            if not depth:
                found.append(_unescaped(block[start:position]))
        position += 1
    return found


def _unescaped(text: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        return bytes([int(found[1], 8) & 255]) if found[1].isdigit() else _ESCAPED.get(found[1], found[1])

    return _ESCAPE.sub(plain, text)
