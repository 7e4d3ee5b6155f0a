"""Templates place words: nothing inline, nothing undefined, nothing unused."""

import re
from pathlib import Path

import pytest
from jinja2 import StrictUndefined, meta

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
INLINE = re.compile(r"""\sstyle=|<style[\s>]|\son[a-z]+\s*=\s*["']|<script(?![^>]*\ssrc=)|href=["']javascript:""")
IMPORTED = re.compile(r"{%-?\s*from\s+[^%]+?\s+import\s+(?P<names>[^%]+?)\s*(?:with context)?\s*-?%}")
MODULE = re.compile(r"{%-?\s*import\s+[^%]+?\s+as\s+(?P<name>\w+)")
CITED = re.compile(r"""["']([\w./-]+\.(?:html|txt|svg|xml))["']""")


def templates() -> dict[str, str]:
    return {
        path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(TEMPLATES.rglob("*"))
        if path.is_file()
    }


@pytest.mark.no_database
def test_nothing_is_inline():
    found = [
        f"{name}:{number}"
        for name, text in templates().items()
        for number, line in enumerate(text.splitlines(), 1)
        if INLINE.search(line)
    ]
    assert found == []


@pytest.mark.no_database
def test_every_template_is_used():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "clinic_tracker").rglob("*.py")]
    cited = {name for text in [*sources, *templates().values()] for name in CITED.findall(text)}
    assert sorted(set(templates()) - cited) == []


@pytest.mark.no_database
def test_every_imported_macro_is_used():
    unused = []
    for name, text in templates().items():
        body = IMPORTED.sub("", text)
        for names in (match["names"] for match in IMPORTED.finditer(text)):
            for part in names.split(","):
                local = part.split(" as ")[-1].strip()
                if not re.search(rf"\b{re.escape(local)}\s*\(", body):
                    unused.append(f"{name}: {local}")
        unused += [f"{name}: {match['name']}" for match in MODULE.finditer(text) if f"{match['name']}." not in text]
    assert unused == []


def test_a_name_that_is_missing_is_an_error(app):
    assert app.jinja_env.undefined is StrictUndefined
    assert app.jinja_env.autoescape is True


def test_every_template_parses_and_what_it_cites_exists(app):
    missing = []
    known = set(app.jinja_env.list_templates())
    for name, text in templates().items():
        cited = {cited for cited in meta.find_referenced_templates(app.jinja_env.parse(text)) if cited}
        missing += [f"{name} cites {other}" for other in cited - known]
    assert missing == []
