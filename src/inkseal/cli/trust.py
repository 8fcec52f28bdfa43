"""`inkseal trust`: whose seals are believed here, and the keys of this installation."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from inkseal.cli._output import note, print_json
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

app = typer.Typer(
    no_args_is_help=True, help=say("Share, believe and renew signing authorities.", "共享、信任和更换签名机构。")
)


@app.command("list", help=say("Show this installation's authority and those it knows.", "显示本机机构与已知机构。"))
def list_issuers(
    as_json: Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))] = False,
) -> None:
    from inkseal.studio.provenance.signer import common_name, fingerprint
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio:
        trust = studio.sealer.trust
        own = {fingerprint(each.authority): common_name(each.authority) for each in trust.own().values()}
        known = trust.known()
    if as_json:
        print_json({"own": own, "known": [issuer.model_dump(mode="json") for issuer in known]})
        return
    for digest, title in own.items():
        typer.echo(f"{digest[:16]}  {title}  ({say('this installation', '本机')})")
    for issuer in known:
        typer.echo(f"{issuer.fingerprint[:16]}  {issuer.name}  ({say('imported', '导入于')} {issuer.imported_at})")


@app.command("export", help=say("Write this installation's public certificates.", "导出本机的公开证书。"))
def export_trust(
    target: Annotated[Path | None, typer.Argument(help=say("File; else printed.", "文件；默认打印。"))] = None,
) -> None:
    from inkseal.store.durable import write_whole
    from inkseal.studio.studio import Studio

    with Studio.open(read_only=True) as studio:
        data = studio.sealer.trust.export()
    if target is None:
        sys.stdout.write(data.decode())
    else:
        write_whole(target.absolute(), data, 0o644)


@app.command("import", help=say("Believe another installation's seals.", "信任另一台机器的封印。"))
def import_trust(
    file: Annotated[Path, typer.Argument(help=say("Made by `inkseal trust export` there.", "对方导出的文件。"))],
    name: Annotated[str, typer.Option(help=say("What to call it here.", "在本机的名称。"))] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=say("Do not ask.", "不询问。"))] = False,
) -> None:
    from inkseal.studio.provenance import issuers
    from inkseal.studio.studio import Studio

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidRequest(
            say(f"{file} cannot be read: {error.strerror}.", f"无法读取 {file}：{error.strerror}。")
        ) from None
    with Studio.open() as studio:
        for issuer in studio.sealer.trust.read_import(data):
            typer.echo(f"{issuer.name}\n  SHA-256 {issuer.fingerprint}")
            note(say("Compare the fingerprint with its owner.", "请与对方核对指纹。"))
            if yes or typer.confirm(say("Believe it?", "信任它吗？")):
                issuers.add(studio.sealer, issuer, name)


@app.command(help=say("Forget an imported authority.", "移除已导入的机构。"))
def remove(
    start: Annotated[str, typer.Argument(help=say("Name, or the fingerprint's beginning.", "名称或指纹开头。"))],
) -> None:
    from inkseal.studio.provenance import issuers
    from inkseal.studio.studio import Studio

    with Studio.open() as studio:
        typer.echo(issuers.remove(studio.sealer, start).name)


@app.command(help=say("Make a new authority; old seals stay valid.", "更换签名机构；旧封印仍有效。"))
def rotate() -> None:
    from inkseal.studio.provenance import issuers
    from inkseal.studio.studio import Studio

    with Studio.open() as studio:
        typer.echo(issuers.rotate(studio.sealer))
