"""Let one more user pass through a folder: an access control list entry, as `setfacl -m u:USER:x` makes it.

Narrower than `chmod o+x`, which lets everybody in. Linux alone has these calls.
"""

import errno
import os
import pwd
import stat
import struct
import sys
from pathlib import Path

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP, _MASK, _OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_SEARCH = 0o1

# (what kind of entry, whose) -> permissions
_List = dict[tuple[int, int], int]


def may_pass(user: str, folder: Path) -> bool:
    """Whether the user can reach what is in the folder, by a name that he knows."""
    who, what = pwd.getpwnam(user), folder.stat()
    if what.st_uid == who.pw_uid:
        return bool(what.st_mode & stat.S_IXUSR)
    entries = _read(folder)
    if (own := entries.get((_USER, who.pw_uid))) is not None:
        return bool(own & entries.get((_MASK, _NOBODY), 0o7) & _SEARCH)
    if what.st_gid == who.pw_gid:
        return bool(entries[_GROUP, _NOBODY] & _SEARCH)
    return bool(entries[_OTHERS, _NOBODY] & _SEARCH)


def let_pass(user: str, folder: Path) -> None:
    """Allow just that; OSError where it cannot be done."""
    uid = pwd.getpwnam(user).pw_uid
    entries = _read(folder)
    entries.setdefault((_MASK, _NOBODY), entries[_GROUP, _NOBODY])
    entries[_MASK, _NOBODY] |= _SEARCH
    entries[_USER, uid] = entries.get((_USER, uid), 0) | _SEARCH
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    packed = (_ENTRY.pack(kind, entries[kind, whose], whose) for kind, whose in sorted(entries))
    os.setxattr(folder, _ATTRIBUTE, _VERSION + b"".join(packed))


def _read(folder: Path) -> _List:
    try:
        if sys.platform == "linux":
            packed = os.getxattr(folder, _ATTRIBUTE)[len(_VERSION) :]
            return {(kind, whose): allowed for kind, allowed, whose in _ENTRY.iter_unpack(packed)}
    except OSError:  # no list, or a file system without lists: the mode says it all
        pass
    mode = folder.stat().st_mode
    return {
        (_OWNER, _NOBODY): mode >> 6 & 0o7,
        (_GROUP, _NOBODY): mode >> 3 & 0o7,
        (_OTHERS, _NOBODY): mode & 0o7,
    }
