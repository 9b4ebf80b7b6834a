"""Compares the files of two moments: names, kinds, modes, owners, contents.

Invariant: what is left out is named by the caller; everything else counts.
"""

import hashlib
import os
import pathlib
import stat


def snapshot(root, left_out):
    """Every path under the root with what it is."""
    root, found = pathlib.Path(root), {}
    for folder, folders, files in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not skipped(here / name, left_out)]
        for name in folders + files:
            path = here / name
            if not skipped(path, left_out):
                found[str(path)] = describe(root / path)
    return found


def skipped(path, left_out):
    text = str(path)
    return any(text == name or text.startswith(f"{name}/") for name in left_out)


def describe(path):
    info = path.lstat()
    owner = f"{oct(stat.S_IMODE(info.st_mode))} {info.st_uid}:{info.st_gid}"
    if stat.S_ISLNK(info.st_mode):
        return f"link to {os.readlink(path)}"
    if stat.S_ISREG(info.st_mode):
        return f"{owner} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    return f"{owner} {stat.S_IFMT(info.st_mode):o}"


def assert_same(before, after, what, ignored=()):
    """Fails, with names, where the two differ."""
    said = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path) and not skipped(path, ignored):
            said.append(f"{path}: {before.get(path, 'was not there')} -> {after.get(path, 'is not there')}")
    assert not said, f"{what} left differences:\n" + "\n".join(said)
