"""Fetches a package's archive from an npm registry with npm as its own client; nothing is installed or run."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from inkseal.catalog.package_archive import ArchiveSource
from inkseal.core.errors import FetchFailed
from inkseal.core.language import say
from inkseal.core.types import Closed


class NpmPackage(Closed):
    """A package of an npm registry, by its exact version."""

    package: Annotated[str, Field(pattern=r"^(@[a-z0-9][a-z0-9._-]{0,99}/)?[a-z0-9][a-z0-9._-]{0,99}$")]
    version: Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9.+-]{0,49}$")]


class Npm(ArchiveSource):
    """`npm pack` delivers the archive as it was published; scripts stay off."""

    name: ClassVar[str] = "npm"

    def command(self, location: Mapping[str, Any], folder: Path) -> list[str]:
        """Returns the client's command line.

        Raises:
            FetchFailed: npm is not installed.
        """
        wanted = NpmPackage.model_validate(location)
        npm = shutil.which("npm")
        if npm is None:
            raise FetchFailed(
                say(
                    "npm is not installed; install Node.js with npm (Debian: apt install npm) and run it again.",
                    "未安装 npm；请安装带 npm 的 Node.js（Debian：apt install npm）后重试。",
                )
            )
        options = ["--silent", "--ignore-scripts", "--no-audit", "--no-update-notifier", "--pack-destination"]
        return [npm, "pack", *options, str(folder), f"{wanted.package}@{wanted.version}"]
