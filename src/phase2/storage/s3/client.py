"""The boto3 client of a server, which never logs its keys."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp

from phase2.storage.s3.responses import refuse_truncated_responses
from phase2.storage.s3.settings import S3Settings

# At DEBUG these log signatures, session tokens and headers.
_VERBOSE_LOGGERS = ("boto3", "botocore", "s3transfer", "urllib3")


def make_client(settings: S3Settings) -> Any:
    """Create a client that does not retry (``with_retries`` does) and sends the checksums that it is given."""
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    config = Config(
        signature_version="s3v4",  # presigned addresses would have version 2 in some regions
        s3={"addressing_style": "path" if settings.path_style else "auto"},
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=min(10.0, settings.timeout),
        read_timeout=settings.timeout,
        # Concurrent transfers share the client.
        max_pool_connections=max(32, 2 * settings.workers),
        request_checksum_calculation="when_required",
        response_checksum_validation="when_supported",
        tcp_keepalive=True,
    )
    core = botocore.session.get_session()
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    session = boto3.session.Session(botocore_session=core, region_name=settings.region)
    client = session.client("s3", endpoint_url=settings.endpoint, config=config)
    refuse_truncated_responses(client)
    _skip_payload_hash_of_parts(client, config)
    return client


@cache
def _loader(data_path: str | None) -> Loader:
    """Return the reader of the API's description, which keeps what it read: most of a client's first 0.15 s."""
    return create_loader(data_path)


def _time(text: Any) -> datetime:
    """Parse a time; botocore's own parser tries many formats, which takes half the time of a long listing."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        time: datetime = parse_timestamp(text)
        return time


def _skip_payload_hash_of_parts(client: Any, config: Config) -> None:
    """Do not hash parts a second time for their signature, which covers the header with their SHA-256 already."""
    unsigned = config.merge(Config(s3={**config.s3, "payload_signing_enabled": False}))

    def use(context: dict[str, Any], **_: object) -> None:
        context["client_config"] = unsigned

    client.meta.events.register("before-call.s3.UploadPart", use)
