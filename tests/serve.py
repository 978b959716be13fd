"""The built book and a JupyterLab as their readers meet them, for the tests."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
BROWSERS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split() + ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # no network
TOKEN = "for-this-test-only"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 700}

# What is wider than the window, if anything makes the page scroll sideways.
WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return '';
  const wide = [...document.querySelectorAll('article *')].filter(
    e => e.getBoundingClientRect().right > width + 1);
  return `${document.documentElement.scrollWidth} px wide: ` +
    wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(' | ');
}"""


class Quiet(SimpleHTTPRequestHandler):
    """A file server that writes no log and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Send a file; browsers ask by themselves for an icon that no book has."""
        if self.path == "/favicon.ico":
            self.send_response(204)
            return self.end_headers()
        return super().do_GET()

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def served(folder):
    """Address of a folder on a server of this machine."""
    handler = functools.partial(Quiet, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def pages(folder):
    """Names of the built pages; the one that only leads to the first is left out."""
    names = (path.relative_to(folder) for path in sorted(folder.rglob("*.html")))
    names = [name.as_posix() for name in names if name.parts[0] != "_static"]
    return [n for n in names if 'http-equiv="Refresh"' not in (folder / n).read_text()]


def watch(context, address):
    """Note what goes wrong in the pages of a browser context, which has no network.

    Returns:
        a list that grows by requests that fail or go elsewhere than to the address,
        and by what the pages and their scripts complain of.
    """
    problems = []

    def ask(request):
        if not request.url.startswith((address, "data:", "blob:")):
            problems.append(f"asked another host: {request.url}")

    def notice(response):
        if response.status >= 400:
            problems.append(f"answer {response.status}: {response.url}")

    def complain(message):
        if message.type in ("error", "warning"):
            problems.append(f"console: {message.text}")

    context.on("request", ask)
    context.on("response", notice)
    context.on("requestfailed", lambda request: problems.append(f"lost {request.url}"))
    context.on("console", complain)
    context.on("weberror", lambda error: problems.append(f"script: {error.error}"))
    return problems


class Lab(NamedTuple):
    """A running JupyterLab and the folder that it shows."""

    address: str
    folder: os.PathLike


@contextmanager
def jupyterlab(folder):
    """A JupyterLab on ``folder``/book, with settings of its own."""
    news = folder / "settings/@jupyterlab/apputils-extension/notification"
    news.parent.mkdir(parents=True)
    news.with_suffix(".jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = f"--no-browser --allow-root --ip=127.0.0.1 --port={port}".split()
    options += ["--expose-app-in-browser"]
    options += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, str(folder / "book")],
            env=environment,
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/api", server, folder / "log")
            yield Lab(address, folder / "book")
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address, server, log, seconds=60):
    """Wait until a server answers; fail with its log if it stops or stays silent."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            return urllib.request.urlopen(address, timeout=5)
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def open_lab(browser, lab):
    """JupyterLab in the browser, with nothing open, whatever was open before."""
    page = browser.new_page(viewport={"width": 1100, "height": 1000})
    page.goto(f"{lab.address}/lab?reset&token={TOKEN}")
    page.wait_for_selector(".jp-Launcher", timeout=120_000)
    return page


def launch(session):
    """The Chromium that playwright downloaded, else the system's, else None."""
    own = session.chromium.executable_path
    found = next(filter(None, map(shutil.which, (own, *BROWSERS))), None)
    return found and session.chromium.launch(executable_path=found, args=FLAGS)
