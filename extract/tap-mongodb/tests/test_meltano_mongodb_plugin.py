"""What Meltano is told about the tap is what the tap takes."""

from pathlib import Path

import pytest
import yaml

from watershed_tap.testing import assert_plugin_agrees
from watershed_tap_mongodb.tap import TapMongoDB

pytestmark = pytest.mark.extract

EXTRACTORS = Path(__file__).parents[2] / "tap-mongodb.meltano.yml"


def test_meltano_plugin_agrees_with_the_tap() -> None:
    extractors = yaml.safe_load(EXTRACTORS.read_text())["plugins"]["extractors"]
    [plugin] = [extractor for extractor in extractors if extractor["name"] == "tap-mongodb"]
    assert_plugin_agrees(plugin, TapMongoDB)
