"""The log says where something failed, and never what was in the variables there."""

import io
import json

import structlog

from portero.relay.use_cases import logging_to


def test_what_variables_hold_is_not_in_the_log() -> None:
    stream = io.StringIO()
    kept = structlog.get_config()
    try:
        logging_to(stream)
        log = structlog.get_logger("portero.relay")
        token = "-".join(("eyJ", "secret"))
        try:
            raise ValueError(f"{len(token)} octets")
        except ValueError:
            log.exception("delivery-failed", way="exchange")
    finally:
        structlog.configure(**kept)
    told = json.loads(stream.getvalue())
    assert token not in stream.getvalue()
    assert told["event"] == "delivery-failed"
    [failure] = told["exception"]
    assert failure["exc_type"] == "ValueError"
    assert failure["frames"][0]["name"] == "test_what_variables_hold_is_not_in_the_log"
