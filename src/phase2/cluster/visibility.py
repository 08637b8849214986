"""Refusing what a pod could not read: data, split files and models of the machine that submits."""

from __future__ import annotations

import shlex

from phase2.cluster.request.resources import ClusterRequest
from phase2.config.data.addresses import is_content, is_in_bucket, is_on_server, may_be_name
from phase2.config.data.sets import CRYSTALS
from phase2.config.data.splits import parse_split
from phase2.config.settings import STORE_VARIABLE
from phase2.errors import RequestError, UnknownNameError

CACHE = "/work/cache"
"""Folder of the data cache in a pod."""


def refuse_invisible_model(address: str | None) -> None:
    """Refuse a model to start from that a pod could not read.

    Raises:
        RequestError: It is a file of this machine.
    """
    if address is not None and not address.startswith("s3://"):
        raise RequestError(
            f"--from {address} is not visible to a pod.",
            why="A path names a file of this machine, and the pod runs on another one.",
            fix="Publish the run into the bucket ('phase2 runs publish'), and name it there: s3://bucket/prefix/...",
        )


def refuse_invisible_split(name: str, cluster: ClusterRequest) -> None:
    """Refuse a split file that a pod could not read.

    Raises:
        RequestError: It is a file of this machine.
    """
    split = parse_split(name)
    if split.method == "file" and not (split.argument.startswith(f"{CACHE}/") and cluster.cache is not None):
        raise RequestError(
            f"--split {name} is not visible to a pod.",
            why="A path names a file of this machine, and the pod runs on another one.",
            fix="Copy the file to the PersistentVolumeClaim of the data cache, and give --cache CLAIM "
            f"--split file:{CACHE}/FILE.",
        )


def refuse_invisible_data(source: str, cluster: ClusterRequest) -> None:
    """Refuse data that a pod could not read.

    Raises:
        RequestError: The data are files of this machine, or on a server.
        UnknownNameError: There is no data set of this name.
    """
    if source in CRYSTALS or is_content(source) or is_in_bucket(source):
        return
    if source.startswith(f"{CACHE}/") and cluster.cache is not None:
        return
    if not is_on_server(source) and not any(character in source for character in "/\\.~"):
        unknown = UnknownNameError.of("data set", source, CRYSTALS)
        hint = f" For a name in the store, give --store or set {STORE_VARIABLE}." if may_be_name(source) else ""
        raise UnknownNameError(unknown.what, why=unknown.why, fix=unknown.fix + hint)
    raise unseen_data(source, f"Push it with 'phase2 data push {shlex.quote(source)}', and give the address it prints.")


def unseen_data(source: str, fix: str) -> RequestError:
    """Return the refusal of data that this machine has, or fetches from a server, and pods have not."""
    if is_on_server(source):
        return RequestError(
            f"--data {source} is not fetched by pods.",
            why="Each pod would ask the server again, and might get other structures.",
            fix=fix,
        )
    return RequestError(
        f"--data {source} is not visible to a pod.",
        why="A path names files of this machine, and the pod runs on another one.",
        fix=fix,
    )
