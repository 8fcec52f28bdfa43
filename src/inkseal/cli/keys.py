"""`inkseal keys`: who may use the server, and how much."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from inkseal.cli._output import note, print_json
from inkseal.core.language import say

if TYPE_CHECKING:
    from inkseal.serve.keys import Key
    from inkseal.store.store import Store

app = typer.Typer(no_args_is_help=True, help=say("Make, list, limit and revoke the server's keys.", "管理服务器密钥。"))

Json = Annotated[bool, typer.Option("--json", help=say("Print JSON.", "输出 JSON。"))]
Id = Annotated[str, typer.Argument(metavar="ID", help=say("The key's id.", "密钥编号。"))]
RoleName = Literal["admin", "creator", "viewer"]


def _store() -> "Store":
    from inkseal.core.config import load_settings
    from inkseal.store.store import Store

    # For reading only: a running server holds the folder, and keys are made beside it.
    return Store.open(load_settings().data_dir, read_only=True)


def _facts(key: "Key") -> dict[str, Any]:
    return key.model_dump(mode="json")


@app.command(help=say("Make a key; it is shown once.", "创建密钥；只显示一次。"))
def create(
    name: Annotated[str, typer.Argument(help=say("Whose it is, or what for.", "归属或用途。"))],
    role: Annotated[
        RoleName, typer.Option(help=say("admin, creator or viewer.", "admin、creator 或 viewer。"))
    ] = "creator",
    same_as: Annotated[
        str, typer.Option(metavar="ID", help=say("Reaches the things of this key.", "与该密钥共享作品。"))
    ] = "",
    as_json: Json = False,
) -> None:
    from inkseal.serve import keys

    with _store() as store:
        key, text = keys.create(store, name, role, same_person_as=same_as)
    if as_json:
        print_json(_facts(key) | {"key": text})
        return
    note(say(f"{key.id} ({key.role}); the key is shown only now:", f"{key.id}（{key.role}）；密钥仅此一次显示："))
    typer.echo(text)


@app.command("list", help=say("List the keys.", "列出密钥。"))
def list_keys(as_json: Json = False) -> None:
    from inkseal.serve import keys

    with _store() as store:
        found = keys.listed(store)
    if as_json:
        print_json([_facts(key) for key in found])
        return
    for key in found:
        limits = ", ".join(f"{name} {value}" for name, value in key.limits.model_dump().items() if value is not None)
        state = say("revoked", "已吊销") if key.revoked_at else ""
        typer.echo(f"{key.id}  {key.role:8} {key.created_at:%Y-%m-%d}  {key.name}  {limits} {state}".rstrip())


@app.command(help=say("End a key and its sessions, at once.", "立即吊销密钥及其会话。"))
def revoke(key_id: Id) -> None:
    from inkseal.serve import keys

    with _store() as store:
        key = keys.revoke(store, key_id)
    typer.echo(say(f"{key.id} ({key.name}) is revoked.", f"{key.id}（{key.name}）已吊销。"))


@app.command(help=say("Set what a key may use up; what is left out is unlimited.", "设置密钥用量；未给出的不限。"))
def limit(
    key_id: Id,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, help=say("Requests a minute.", "每分钟请求数。"))
    ] = None,
    tokens_per_day: Annotated[
        int | None, typer.Option(min=0, help=say("Tokens a day (UTC).", "每天词元数（UTC）。"))
    ] = None,
    max_running: Annotated[int | None, typer.Option(min=1, help=say("Generations at once.", "同时生成数。"))] = None,
    as_json: Json = False,
) -> None:
    from inkseal.serve import keys
    from inkseal.serve.callers import Limits

    limits = Limits(requests_per_minute=requests_per_minute, tokens_per_day=tokens_per_day, max_running=max_running)
    with _store() as store:
        key = keys.limit(store, key_id, limits)
    if as_json:
        print_json(_facts(key))
    else:
        typer.echo(say(f"{key.id} is limited.", f"已设置 {key.id} 的限额。"))


@app.command(help=say("Show who did what.", "查看审计日志。"))
def audit(
    after: Annotated[int, typer.Option(min=0, help=say("Start after this number.", "从该编号之后开始。"))] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help=say("How many.", "条数。"))] = 100,
    as_json: Json = False,
) -> None:
    from inkseal.serve import audit as log

    with _store() as store:
        found = log.entries(store, after=after, limit=limit)
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in found])
        return
    for entry in found:
        typer.echo(
            f"#{entry.number} {entry.created_at:%Y-%m-%d %H:%M:%S} {entry.key_id} {entry.action} {entry.subject}"
        )
