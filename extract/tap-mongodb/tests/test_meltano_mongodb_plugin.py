"""What Meltano is told about the tap is what the tap takes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from watershed_tap_mongodb.settings import CONFIG_JSONSCHEMA
from watershed_tap_mongodb.tap import TapMongoDB

pytestmark = pytest.mark.extract

EXTRACTORS = Path(__file__).parents[2] / "extractors.meltano.yml"
OF_THE_SDK = {"stream_maps", "stream_map_config", "faker_config"}


@pytest.fixture
def plugin() -> dict[str, Any]:
    extractors = yaml.safe_load(EXTRACTORS.read_text())["plugins"]["extractors"]
    [plugin] = [extractor for extractor in extractors if extractor["name"] == "tap-mongodb"]
    return plugin


def flat(properties: dict[str, Any], prefix: str = "") -> dict[str, dict[str, Any]]:
    found = {}
    for name, schema in properties.items():
        if "properties" in schema:
            found |= flat(schema["properties"], f"{prefix}{name}.")
        else:
            found[prefix + name] = schema
    return found


def test_settings_agree(plugin: dict[str, Any]) -> None:
    theirs = {setting["name"]: setting for setting in plugin["settings"]}
    ours = flat(CONFIG_JSONSCHEMA["properties"])
    assert set(theirs) - OF_THE_SDK == {n for n in ours if n.split(".")[0] not in OF_THE_SDK}
    for name in set(theirs) - OF_THE_SDK:
        setting = theirs[name]
        assert setting.get("sensitive", False) == ours[name].get("secret", False), name
        if setting.get("kind") != "array":
            assert setting.get("value") == ours[name].get("default"), name


def test_capabilities_agree(plugin: dict[str, Any]) -> None:
    assert set(plugin["capabilities"]) == {str(c.value) for c in TapMongoDB.capabilities}
