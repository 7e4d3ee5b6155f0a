"""Commands of the group ``assets``: the files in static/vendor come from pinned npm packages and match a manifest."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import click

from clinic_tracker.cli.support import PlainGroup

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = "manifest.json"
# Package, version and SHA-256 of its archive; then which of its files go where.
PACKAGE = "govuk-frontend"
VERSION = "6.6.0"
ARCHIVE_SHA256 = "52c4eb554e54d8a6e4ba801e9da5ec3a5b930fd2f117a39677f0b6296e954751"
STYLES = "package/dist/govuk/govuk-frontend.min.css"
SCRIPT = "package/dist/govuk/govuk-frontend.min.js"
FONT_FACE = re.compile(r"(?:/\*![^*]*\*/)?\s*@font-face\s*\{[^}]*\}")
FONT_FAMILY = re.compile(r"font-family:\s*GDS Transport,\s*arial,\s*sans-serif")
CREST = re.compile(r"url\(/assets/images/govuk-crest\.svg\)")
SOURCE_MAP = re.compile(r"\n?(?:/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S+)\s*")
FORBIDDEN = ("GDS Transport", "@font-face", "url(", "sourceMappingURL")

group = PlainGroup("assets", help="Fetch the vendored style sheet and scripts, or check that they are unchanged.")


@group.command("refresh", with_appcontext=False)
def refresh() -> None:
    """Fetch the pinned package with npm and write static/vendor anew.

    Example: flask assets refresh
    """
    npm = shutil.which("npm")
    if npm is None:
        raise click.UsageError("npm is not installed; only this command needs it.")
    with tempfile.TemporaryDirectory() as folder:
        archive = _fetch(npm, Path(folder))
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != ARCHIVE_SHA256:
            raise click.UsageError(f"{archive.name} is not the pinned archive: its SHA-256 is {found}")
        with tarfile.open(archive) as package:
            _write("govuk-frontend.css", rewrite_styles(_member(package, STYLES)))
            _write("govuk-frontend.js", SOURCE_MAP.sub("\n", _member(package, SCRIPT)))
    write_manifest(VENDOR)
    click.echo(f"static/vendor holds {PACKAGE} {VERSION}")


@group.command("check", with_appcontext=False)
def check() -> None:
    """Compare static/vendor with its manifest; exit 1 and name the files that differ.

    Example: flask assets check
    """
    differing = differences(VENDOR)
    for name in differing:
        click.echo(f"{name} is not as in the manifest", err=True)
    if differing:
        raise SystemExit(1)
    click.echo("static/vendor is as in its manifest")


def rewrite_styles(css: str) -> str:
    """The style sheet without gov.uk's own typeface and crest, in a cascade layer below the application's styles."""
    css = css.removeprefix('@charset "UTF-8";')
    css = FONT_FAMILY.sub("font-family:inherit", FONT_FACE.sub("", SOURCE_MAP.sub("", CREST.sub("none", css))))
    left = [text for text in FORBIDDEN if text in css]
    if left:
        raise click.UsageError(f"The style sheet still holds {', '.join(left)}: adapt the rewriting to this version.")
    return f'@charset "UTF-8";\n@layer govuk {{\n{css.strip()}\n}}\n'


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below the folder, by its relative path; the manifest itself is left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write_manifest(folder: Path) -> None:
    """Record what the folder holds now."""
    content = {"packages": {PACKAGE: VERSION}, "sha256": digests(folder)}
    (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def differences(folder: Path) -> list[str]:
    """Files that were changed, added or lost since the manifest was written."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        return [MANIFEST]
    recorded: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
    found = digests(folder)
    return sorted(name for name in recorded.keys() | found.keys() if recorded.get(name) != found.get(name))


def _fetch(npm: str, folder: Path) -> Path:
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  literal arguments
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise click.UsageError(f"npm could not fetch {PACKAGE} {VERSION}: {done.stderr.strip()[-200:]}")
    return archives[0]


def _member(package: tarfile.TarFile, name: str) -> str:
    member = package.extractfile(name)
    if member is None:
        raise click.UsageError(f"The package holds no {name}")
    return member.read().decode("utf-8")


def _write(name: str, content: str) -> None:
    target = VENDOR / PACKAGE / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8")
