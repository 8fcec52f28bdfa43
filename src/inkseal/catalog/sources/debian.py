"""Fetches a Debian package's archive with apt-get as its own client; nothing is installed or run."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from inkseal.catalog.package_archive import ArchiveSource
from inkseal.core.errors import FetchFailed
from inkseal.core.language import say
from inkseal.core.types import Closed


class DebianPackage(Closed):
    """A package of the archives that this machine's apt knows, by its exact version."""

    package: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]{1,99}$")]
    version: Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9.+:~-]{0,49}$")]


class Debian(ArchiveSource):
    """`apt-get download` verifies the archive's signature chain; the recorded hash is checked beside it."""

    name: ClassVar[str] = "debian"

    def command(self, location: Mapping[str, Any], folder: Path) -> list[str]:
        """Returns the client's command line.

        Raises:
            FetchFailed: this is no Debian-like system.
        """
        wanted = DebianPackage.model_validate(location)
        apt = shutil.which("apt-get")
        if apt is None:
            raise FetchFailed(
                say(
                    "apt-get is not there: this archive comes from Debian only.",
                    "没有 apt-get：该归档仅来自 Debian。",
                )
            )
        return [apt, "download", "-o", "APT::Sandbox::User=root", f"{wanted.package}={wanted.version}"]
