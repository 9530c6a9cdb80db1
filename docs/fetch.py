"""Fetch what the documentation shows and does not hold: MathJax, for its mathematics.

    python docs/fetch.py

After this the documentation is built without a network. It takes npm, and refuses any other
bytes than those that it knows.
"""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = "mathjax@3.2.2"
WANTED = {"package/es5/tex-svg.js": "tex-svg.js", "package/LICENSE": "tex-svg.LICENSE"}
SHA256 = "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09"


def main():
    target = Path(__file__).parent / "_fetched"
    target.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        pack = ["npm", "pack", "--silent", "--pack-destination", folder, PACKAGE]
        try:
            subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            return f"npm could not fetch {PACKAGE}: {error}"
        (archive,) = Path(folder).iterdir()
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            return f"{archive.name} is not the file that was expected; nothing was written"
        with tarfile.open(archive) as tar:
            for member, name in WANTED.items():
                (target / name).write_bytes(tar.extractfile(member).read())
    print(f"{' and '.join(WANTED.values())} in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
