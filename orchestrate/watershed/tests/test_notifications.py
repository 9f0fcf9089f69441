"""Who hears of what: each problem once, its end once, and never a secret."""

import json
import re
import shlex
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from watershed.notifications.alert import RUNBOOKS
from watershed.notifications.notify import notify

pytestmark = pytest.mark.trust

PAGES = Path(__file__).parents[3] / "docs" / "runbooks"
ROUTES = """
owners: {shop: Shop team}
routes:
- {name: mail, url: $OPS_MAIL_URL, severities: [error, info]}
- {name: shop, url: $SHOP_HOOK_URL, owners: [Shop team], kinds: [degraded, failed]}
"""
RED = "update ops.builds set status = 'red'"
GREEN = "update ops.builds set status = 'green'"


@pytest.fixture
def hook():
    """A web server that keeps what is posted to it."""
    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    server.server_close()
    thread.join()


def routes(project, text):
    (project.root / "orchestrate").mkdir(exist_ok=True)
    (project.root / "orchestrate" / "notifications.yml").write_text(text)


@pytest.fixture
def told(built):
    """A project that was built, and whose mail route is declared."""
    routes(built, ROUTES)
    return built


def tell(project, **environment):
    return notify(project.settings, environment, ended=None)


def test_a_problem_is_told_once_and_its_end_once(told, inbox):
    told.run_sql(RED)
    for _ in range(2):
        assert tell(told, OPS_MAIL_URL=inbox.url).problems == ()
    assert inbox.subjects == ["Watershed: build failed"]
    assert "build build-1 is red" in inbox.text
    assert "Retry: watershed build\n" in inbox.text
    assert "Runbook: docs/runbooks/red-build.md" in inbox.text
    told.run_sql(GREEN)
    for _ in range(2):
        tell(told, OPS_MAIL_URL=inbox.url)
    assert inbox.subjects[1:] == ["Watershed: build recovered"]


def test_a_route_gets_what_its_owner_answers_for(told, inbox, hook):
    url, posted = hook
    told.run_sql("update ops.quarantine set quarantined_at = now()")
    tell(told, OPS_MAIL_URL=inbox.url, SHOP_HOOK_URL=url)
    assert [message["title"] for message in posted] == [
        "Watershed: stream shop-orders of shop degraded"
    ]
    assert "1 of its values went to quarantine within a day, e.g. out of range" in str(posted)
    assert inbox.messages == []


def test_rows_older_than_promised_are_late(told, inbox):
    (told.root / "extract").mkdir()
    (told.root / "extract" / "extractors.meltano.yml").write_text(
        "plugins: {extractors: [{name: tap-postgres--shop, inherit_from: tap-postgres, "
        "annotations: {watershed: {largest_age_hours: 24}}}]}"
    )
    tell(told, OPS_MAIL_URL=inbox.url)
    assert inbox.subjects == ["Watershed: source shop late"]
    assert "promised are 24 h at most" in inbox.text
    assert "Last good run: 2026-01-02 03:00 UTC" in inbox.text


def test_mail_that_is_down_changes_no_exit_code_and_is_tried_again(told, inbox):
    inbox.close()
    told.run_sql(RED)
    done = told.run("publish", OPS_MAIL_URL=inbox.url)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line == (
        "watershed: notify: route mail: the server that OPS_MAIL_URL names did not take the "
        "message; it is tried again the next time"
    )
    inbox.open()
    assert tell(told, OPS_MAIL_URL=inbox.url).sent == (("mail", "Watershed: build failed"),)


def test_beyond_its_fill_a_route_waits(told, inbox):
    routes(told, "messages_per_hour: 1\n" + ROUTES)
    told.run_sql(RED)
    tell(told, OPS_MAIL_URL=inbox.url)
    told.run_sql(GREEN)
    (line,) = tell(told, OPS_MAIL_URL=inbox.url).problems
    assert "route mail: had 1 messages within an hour" in line
    assert len(inbox.messages) == 1


def test_a_digest_says_what_was_completed(told, inbox):
    tell(told, OPS_MAIL_URL=inbox.url)
    path = told.settings.output / "notifications.json"
    memory = json.loads(path.read_text())
    memory["digests"]["mail"] = "2026-01-01T00:00:00+00:00"
    path.write_text(json.dumps(memory))
    for _ in range(2):
        tell(told, OPS_MAIL_URL=inbox.url)
    assert inbox.subjects == ["Watershed: digest completed"]
    assert "1 loads changed 1,000 rows, 1 builds were green" in inbox.text


def test_an_error_that_no_ledger_knows_is_told_until_the_command_succeeds(told, inbox):
    notify(told.settings, {"OPS_MAIL_URL": inbox.url}, ended=("load", "the disk is full"))
    assert "watershed load failed: the disk is full" in inbox.text
    notify(told.settings, {"OPS_MAIL_URL": inbox.url}, ended=("publish", None))
    assert len(inbox.messages) == 1
    notify(told.settings, {"OPS_MAIL_URL": inbox.url}, ended=("load", None))
    assert inbox.subjects[1:] == ["Watershed: watershed load recovered"]


def test_a_warehouse_that_cannot_be_read_recovers_nothing(told, inbox):
    told.run_sql(RED)
    tell(told, OPS_MAIL_URL=inbox.url)
    told.settings.warehouse.write_text("not a database" * 999)
    (line,) = tell(told, OPS_MAIL_URL=inbox.url).problems
    assert line.startswith("the ledger cannot be read now: ")
    assert len(inbox.messages) == 1


def test_without_a_route_it_is_only_logged(built):
    built.run_sql(RED)
    done = built.run("publish")
    assert (done.returncode, done.stderr) == (0, "")
    assert "build failed" in (built.settings.output / "logs" / "notifications.log").read_text()


def test_every_route_is_tested_by_one_command(told, inbox):
    done = told.run("notify", "test", "--json", OPS_MAIL_URL=inbox.url)
    answer = json.loads(done.stdout)
    assert [sent["route"] for sent in answer["sent"]] == ["mail"]
    assert answer["problems"] == ["route shop: the environment variable SHOP_HOOK_URL is not set"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes: [{name: a, url: 'mailto://u:s3cret@h'}]", "must name an environment variable"),
        ("routes: [{name: a, url: $A, kinds: [fail]}]", "'fail' of `kinds` is not known"),
        ("routes: [{name: a, url: $A, s3: b}]", "'s3' is not known"),
        ("routes: [", "cannot be read as YAML"),
        ("messages_per_hour: none", "is no number above 0"),
    ],
)
def test_a_wrong_file_is_one_line_without_a_secret(built, text, said):
    routes(built, text)
    done = built.run("notify")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert said in line
    assert "s3cret" not in line


def test_each_problem_has_a_runbook_that_ends_in_a_command_that_exists(project):
    for page in RUNBOOKS.values():
        text = (PAGES / page).read_text()
        assert re.search(r"```\n.+\n```\n\Z", text), f"{page} does not end in a command"
    named = {
        tuple(shlex.split(command)[1:])
        for page in RUNBOOKS.values()
        for command in re.findall(r"\bwatershed [a-z][^`\n|&]*", (PAGES / page).read_text())
    }
    assert len(named) > len(RUNBOOKS)
    for words in sorted(named):
        done = project.run(*words, "--help")
        assert done.returncode == 0, words
