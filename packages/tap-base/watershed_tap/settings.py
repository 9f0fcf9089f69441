"""Checks a config, and says what is wrong without quoting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.plugin_base import JSONSchemaValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jsonschema import ValidationError

DEFAULT_OVERLAP_SECONDS = 3600
DEFAULT_CONNECT_TIMEOUT_SECONDS = 30


def check_config(
    config: dict[str, Any],
    schema: Mapping[str, Any],
    contradictions: Callable[[Mapping[str, Any]], Iterable[str]],
) -> list[str]:
    """Fill in defaults and return what is wrong, each as ``<setting>: <what is needed>``.

    A wrong value is never quoted: it may be the password.

    Args:
        config: what was given; it is changed.
        schema: JSON schema of a config.
        contradictions: finds what no JSON schema can say, in a config that agrees with its schema.
    """
    problems = sorted(set(map(_describe, JSONSchemaValidator(schema).iter_errors(config))))
    return problems or list(contradictions(config))


def _describe(error: ValidationError) -> str:
    setting = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "required":
        required: Any = error.validator_value
        given: Any = error.instance
        missing = [name for name in required if name not in given]
        return f"{', '.join(missing)}: must be given"
    needs = {"type": "must be of type", "enum": "must be one of", "minimum": "must be at least"}
    need = needs.get(str(error.validator), f"must agree with {error.validator}")
    return f"{setting}: {need} {error.validator_value}"
