"""`inkseal serve`: the studio over HTTP, on this machine unless told otherwise."""

from typing import Annotated

import typer

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

app = typer.Typer(add_completion=False)


@app.command(help=say("Serve the studio over HTTP.", "通过 HTTP 提供服务。"))
def serve(
    host: Annotated[
        str | None,
        typer.Option(
            help=say("Address; any but a loopback address needs a key.", "监听地址；非回环地址必须先有密钥。")
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help=say("Port; 0 takes a free one.", "端口；0 表示任选空闲端口。"))
    ] = None,
) -> None:
    from inkseal.serve.app import create_app
    from inkseal.serve.config import serve_config
    from inkseal.serve.logs import configure
    from inkseal.serve.server import address, bind, run
    from inkseal.studio.studio import Studio

    with Studio.open(isolate_engines=True) as studio:
        config = serve_config(studio.settings, host=host, port=port)
        application = create_app(studio, config)
        has_key = application.state.keyring.any()
        if not config.loopback and not has_key:
            raise InvalidRequest(
                say(
                    f"{config.host} can be reached by others, and there is no key.",
                    f"{config.host} 可被他人访问，但尚无密钥。",
                ),
                fix=say("Run: inkseal keys create NAME --role admin", "请运行：inkseal keys create 名称 --role admin"),
            )
        configure(studio.settings.log_level)
        with bind(config) as listening:
            where = address(listening)

            def ready() -> None:
                typer.echo(say(f"Inkseal listens on {where}", f"墨印正在监听 {where}"))
                if not has_key:
                    typer.echo(
                        say(
                            "No key yet: every program on this machine is admin.", "尚无密钥：本机所有程序均为管理员。"
                        ),
                        err=True,
                    )

            run(application, listening, ready)
