"""The documentation, as a browser shows it to a person who looks for a model."""

import base64
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.demo

READER = Path(__file__).with_name("reader.html")
BROWSER = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--virtual-time-budget=30000", "--dump-dom"),
)


@pytest.fixture(scope="module")
def seen(clone, first_run, tmp_path_factory):
    """What a reader sees who searches for a model, then goes to its domain and its lineage."""
    assert first_run
    folder = clone.root / "output" / "docs"
    shutil.copy(READER, folder)
    with subprocess.Popen(
        [clone.root / ".venv" / "bin" / "watershed", "docs"],
        cwd=clone.root,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        address = server.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        profile = f"--user-data-dir={tmp_path_factory.mktemp('browser')}"
        shown = subprocess.run(
            [*BROWSER, profile, f"{address}{READER.name}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        server.terminate()
    (folder / READER.name).unlink()
    return json.loads(html.unescape(re.search(r'<pre id="seen">(.*?)</pre>', shown, re.DOTALL)[1]))


def test_the_overview_leads_to_the_domains(seen):
    assert "Watershed: the company's data, in one place" in seen["overview"]


def test_a_search_finds_a_model_and_its_page_shows_its_columns(seen):
    assert "fct_order_items" in seen["found"]
    assert "One row per line of an order: what was sold" in seen["model"]
    for column in ("order_id", "line_number", "product_id", "net_amount"):
        assert column in seen["model"]
    assert "Gross amount less discount, exact" in seen["model"], "described by a shared doc block"


def test_the_page_of_a_domain_shows_its_models_and_how_they_refer_to_each_other(seen):
    assert "What customers ordered, what came back" in seen["domain"]
    for name in ("fct_orders", "fct_order_items", "dim_products", "dim_categories"):
        assert name in seen["diagram"]
    assert "fct_order_items.product_id → dim_products" in seen["diagram"]


def test_the_page_of_lineage_tells_which_column_is_made_from_which(clone, seen):
    assert "watershed" in seen["lineage"]
    page = (clone.root / "output" / "docs" / "lineage.html").read_text()
    data = json.loads(base64.b64decode(re.search(r'JSON.parse\(atob\("([^"]+)"', page)[1]))
    edges = {
        (edge["source"], edge["sourceColumn"], edge["target"], edge["targetColumn"])
        for edge in data["lineage"]["edges"]
    }
    of_lines = ("model.watershed.int_order_items_netted", "model.watershed.fct_order_items")
    assert (of_lines[0], "net_amount", of_lines[1], "net_amount") in edges


def test_no_page_calls_home(clone, seen):
    assert seen
    pages = {page.name: page.read_text() for page in clone.root.glob("output/docs/*.html")}
    assert {"index.html", "lineage.html", "sales.html"} <= pages.keys()
    assert "window.colibriTelemetry = false" in pages["lineage.html"]
    assert not [name for name, text in pages.items() if '<script src="http' in text]
