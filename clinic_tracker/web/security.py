"""Headers that keep browsers safe, and addresses of static files that change with their content."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

# No inline script or style anywhere, so no nonce is needed.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
ONE_YEAR = 365 * 24 * 60 * 60


def init_app(app: Flask) -> None:
    """Set the headers on every answer and give templates ``static_url``."""
    app.after_request(set_headers)
    app.add_template_global(static_url)


def set_headers(response: Response) -> Response:
    """Pages of patients are kept by no cache; static files by every cache, as their address names their content."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}")
    if request.endpoint == "static":
        lasting = "v" in request.args and response.status_code < 400  # noqa: PLR2004  not for errors
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable" if lasting else "no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def static_url(path: str) -> str:
    """Address of a static file with a digest of its content; of all scripts for a script, as they import each other."""
    folder = Path(current_app.static_folder or "")
    parts = sorted((folder / "js").rglob("*.js")) if path.startswith("js/") else [folder / path]
    if not all(part.is_file() for part in parts):
        return url_for("static", filename=path)  # an error page must not fail for want of an ornament
    digest = _digest(tuple((str(part), part.stat().st_mtime_ns) for part in parts))
    return url_for("static", filename=path, v=digest)


@lru_cache(maxsize=256)
def _digest(files: tuple[tuple[str, int], ...]) -> str:
    whole = hashlib.sha256()
    for name, _changed in files:
        whole.update(Path(name).read_bytes())
    return whole.hexdigest()[:12]
