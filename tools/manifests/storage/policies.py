"""Policies of least rights for the store: for training, people who read or push data, maintainers, the page. Pure.

They name what :mod:`phase2.storage.s3.store` requests. What a policy cannot say is in docs/how-to/storage-rights.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from phase2.runs.page.links import PAGE

Server = Literal["aws", "minio"]
Role = Literal["train", "read", "push", "maintain", "page"]
Statement = dict[str, Any]

RUN_ID = "RUN_ID"
"""Placeholder of the run's id in the policy of one run."""
_ANY_RUN = "multitask_*/run_*"
_TIME = "????????T??????Z"
_STATE = ("GetBucketVersioning", "GetBucketObjectLockConfiguration")


@dataclass(frozen=True, slots=True)
class Place:
    """A store in a bucket.

    Attributes:
        server: ``aws``, or ``minio`` for servers without the condition ``s3:if-none-match``.
        bucket: The bucket.
        prefix: Beginning of all keys, with its slash; "" is the whole bucket.
    """

    server: Server = "aws"
    bucket: str = "bucket"
    prefix: str = ""

    def policy(self, role: Role) -> Statement:
        """Return the policy of a role."""
        statements = {
            "train": self._train,
            "read": self._read,
            "push": self._push,
            "maintain": self._maintain,
            "page": self._page,
        }
        return {"Version": "2012-10-17", "Statement": statements[role]()}

    def policy_of_run(self, run_id: str = RUN_ID) -> Statement:
        """Return the policy of temporary keys of one run, for AssumeRole: its own prefix, and nothing else.

        Servers refuse more than 2,048 characters, which takes very long names.
        """
        own = f"multitask_*/run_{_TIME}_{run_id}"
        return {
            "Version": "2012-10-17",
            "Statement": [
                *self._read(),
                self._allow(["PutObject", "AbortMultipartUpload"], [f"{own}/*", f".ids/{run_id}"]),
                self._allow(["PutObject", "DeleteObject"], [f".published/{own}.*"]),
                self._allow(["DeleteObject"], [f"{own}/.publishing", f"{own}/.checkpoints/*"]),
                # A star stands for slashes too: not a folder of that name in another run.
                self._allow(["PutObject", "DeleteObject"], [f"multitask_*/*/run_{_TIME}_{run_id}/*"])
                | {"Effect": "Deny"},
            ],
        }

    def _read(self) -> list[Statement]:
        return [
            self._list("ListBucket", "ListBucketVersions"),
            self._bucket(*_STATE),
            self._allow(["GetObject", "GetObjectVersion"], ["*"]),
        ]

    def _train(self) -> list[Statement]:
        temporary = [
            f"{_ANY_RUN}/.publishing", f"{_ANY_RUN}/.checkpoints/*", ".published/*", ".studies/*/workers/*",
            "phase2-doctor/*",
        ]  # fmt: skip
        return [
            *self._read(),
            *self._put_once([f"{_ANY_RUN}/*", ".ids/*", ".studies/*"]),
            self._allow(["PutObject"], [*temporary, ".workflows/*", "workflows/*", "predictions/*"]),
            self._allow(["DeleteObject"], temporary),
            self._allow(["AbortMultipartUpload"], ["*"]),
        ]

    def _put_once(self, keys: Sequence[str]) -> list[Statement]:
        """Allow to store under free keys alone, where the server can tell.

        Source: Enforce conditional writes on Amazon S3 buckets, Amazon S3 User Guide.
        """
        allowed = self._allow(["PutObject"], keys)
        if self.server == "minio":
            return [allowed]
        # The parts of a large file are no objects yet: what completes them has the condition.
        return [
            allowed | {"Condition": {"Null": {"s3:if-none-match": "false"}}},
            allowed | {"Condition": {"Bool": {"s3:ObjectCreationOperation": "false"}}},
        ]

    def _page(self) -> list[Statement]:
        """Allow to read, and to write the page of all runs, which is no run and holds none."""
        return [*self._read(), self._allow(["PutObject", "DeleteObject", "AbortMultipartUpload"], [f"{PAGE}/*"])]

    def _push(self) -> list[Statement]:
        """Allow to read, and to store data sets, which the keys of training may not: they read what they train on."""
        return [*self._read(), *self._put_once(["data/*"]), self._allow(["AbortMultipartUpload"], ["data/*"])]

    def _maintain(self) -> list[Statement]:
        return [
            self._list("ListBucket", "ListBucketVersions"),
            self._bucket(*_STATE),
            self._allow(
                [
                    "GetObject", "GetObjectVersion", "PutObject", "DeleteObject", "DeleteObjectVersion",
                    "AbortMultipartUpload", "GetObjectRetention", "PutObjectRetention",
                ],
                ["*"],
            ),
        ]  # fmt: skip

    def _list(self, *actions: str) -> Statement:
        """Allow to list below the prefix.

        AWS tells a missing object from a forbidden one only to who may list, and asks that without a prefix: there the
        condition holds for requests that have one.
        """
        operator = "StringLikeIfExists" if self.server == "aws" else "StringLike"
        return self._bucket(*actions) | {"Condition": {operator: {"s3:prefix": [f"{self.prefix}*"]}}}

    def _bucket(self, *actions: str) -> Statement:
        return {"Effect": "Allow", "Action": _actions(actions), "Resource": [f"arn:aws:s3:::{self.bucket}"]}

    def _allow(self, actions: Sequence[str], keys: Sequence[str]) -> Statement:
        resources = [f"arn:aws:s3:::{self.bucket}/{self.prefix}{key}" for key in keys]
        return {"Effect": "Allow", "Action": _actions(actions), "Resource": resources}


def _actions(names: Sequence[str]) -> list[str]:
    return [f"s3:{name}" for name in names]
