"""The command line: one command per file, imported when called. Parses, calls the studio, prints its events."""

import os
import sys


def main() -> None:
    """Runs the command line; an InksealError ends it with a short message and its own exit code."""
    if "--language" in sys.argv[:-1]:  # help texts are spoken while commands are imported, before options are parsed
        os.environ["INKSEAL_LANGUAGE"] = sys.argv[sys.argv.index("--language") + 1]

    from inkseal.cli._group import app
    from inkseal.cli._output import complain
    from inkseal.core.errors import InksealError

    try:
        app()
    except InksealError as error:
        complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output left; nothing is wrong
        sys.stderr.close()
        sys.exit(0)
