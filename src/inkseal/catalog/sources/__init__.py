"""Places models come from, one per file; the order in a card is the order in which they are tried."""

from inkseal.core.errors import FetchFailed
from inkseal.core.protocols import Source
from inkseal.core.registry import Registry

sources: Registry[Source] = Registry(__name__, "source")


class NothingNamed(FetchFailed):
    """Nobody told this source where to look; of no interest while another source may deliver."""
