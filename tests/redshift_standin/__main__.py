"""``python -m redshift_standin up|down``: the stand-in under ``output/redshift``."""

import sys
from pathlib import Path

from redshift_standin.standin import Standin
from watershed_servers import ServerError

FOLDER = Path(__file__).parents[2] / "output" / "redshift"


def main(arguments: list[str]) -> str | None:
    """Run the command; returns what was wrong, for `sys.exit`."""
    standin = Standin(FOLDER)
    try:
        match arguments:
            case ["up"]:
                standin.start()
                sys.stdout.write(describe(standin))
            case ["down"]:
                standin.stop()
            case _:
                return "usage: python -m redshift_standin up|down"
    except ServerError as error:
        return f"redshift: {error}"
    return None


def describe(standin: Standin) -> str:
    """How to reach a running stand-in, as lines that a shell can read.

    The password stays in its file, which only its owner may read.
    """
    return f"""\
REDSHIFT_HOST={standin.host}
REDSHIFT_PORT={standin.port}
REDSHIFT_DATABASE={standin.database}
REDSHIFT_USER={standin.user}
REDSHIFT_PASSWORD_FILE={standin.password_file}
REDSHIFT_CA_FILE={standin.ca_file}
REDSHIFT_S3_ENDPOINT={standin.s3_endpoint}
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
