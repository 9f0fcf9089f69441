"""The image's steps without Docker: what the Dockerfile runs, run in a bare environment."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from infra.tests.conftest import REPOSITORY, shared_folder

CONTAINER = REPOSITORY / "infra" / "container"
HOW_PACKAGES_ARE_REACHED = ("PIP_", "UV_", "SSL_CERT_")
WRITABLE = ("output", ".meltano", "transform/target")


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """The pipeline as it lies in the image."""

    def make(folder):
        reached = {n: v for n, v in os.environ.items() if n.startswith(HOW_PACKAGES_ARE_REACHED)}
        cache = os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv"
        done = subprocess.run(
            [CONTAINER / "install.sh", folder / "watershed"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder / "home"),
                "UV_CACHE_DIR": str(cache),
                **reached,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return shared_folder(tmp_path_factory, "image", make) / "watershed"


def command(image, *words):
    return [image / "infra" / "container" / "entrypoint.sh", *words]


def run(image, *words, **variables):
    return subprocess.run(
        command(image, *words),
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


def fingerprint(image):
    """Every file that the image's file system would have to keep as it is."""
    return {
        path: (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in image.rglob("*")
        if path.is_file() and not any(path.is_relative_to(image / folder) for folder in WRITABLE)
    }


def test_programs_run_in_a_bare_environment_and_write_only_where_volumes_are(image):
    """The root file system is read-only: this is what would fail there."""
    before = fingerprint(image)
    assert len(before) > 1000
    for words, says in (
        (("watershed", "status", "--json"), '"build": null'),
        (("meltano", "--environment=dev", "invoke", "dbt", "parse"), "Performance info"),
    ):
        done = run(image, *words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        assert says in done.stdout + done.stderr
    assert fingerprint(image) == before


def test_the_image_holds_the_pipeline_and_no_tests_nor_sources_of_the_demo(image):
    found = {path.name for path in image.iterdir()}
    assert {"meltano.yml", "extract", "load", "transform", "orchestrate", ".venv"} <= found
    assert not {"demo", "tests", ".git", ".env", "docs"} & found
    assert list(image.glob("*/*/tests")) == []


def test_sigterm_reaches_the_program_itself(image):
    """No shell stands between: the entry point has become the program, with its process id."""
    waiter = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))\n"
        "print(os.getpid(), flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        command(image, "python", "-c", waiter),
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 42


@pytest.mark.parametrize("words", [(), ("bash",), ("nothing",)])
def test_what_is_no_program_of_the_pipeline_is_refused_in_one_line(image, words):
    done = run(image, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"entrypoint: '.*' is no program of the pipeline: .*\n", done.stderr)


def test_installing_over_a_pipeline_is_refused(image):
    done = subprocess.run(
        [CONTAINER / "install.sh", image], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("install: usage:")


def test_the_dockerfile_runs_these_two_scripts_as_an_ordinary_user_and_without_a_shell(prod):
    """I-1: what Docker would do beside; nothing here can run it."""
    lines = (CONTAINER / "Dockerfile").read_text().splitlines()
    assert "RUN infra/container/install.sh /srv/watershed" in lines
    assert 'ENTRYPOINT ["/srv/watershed/infra/container/entrypoint.sh"]' in lines
    assert sum(line.startswith("FROM ") for line in lines) == 2
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    (volumes,) = (line for line in lines if line.startswith("VOLUME "))
    for task in prod.all("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        assert users == [container["User"]]
        for mount in container["MountPoints"]:
            assert f'"{mount["ContainerPath"]}"' in volumes
        assert 30 <= container["StopTimeout"] <= 120
        assert container["LinuxParameters"]["InitProcessEnabled"] is True
