"""Renders one chat template in a process of its own, which may be killed at any time."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

from inkseal.formats.child import limit_memory, serve

MEMORY_BYTES = 512 << 20


def _environment() -> Any:
    import jinja2
    import jinja2.ext
    import jinja2.sandbox

    class Generation(jinja2.ext.Extension):
        """Accepts `{% generation %}`, by which trainers mark the assistant's words."""

        tags = {"generation"}

        def parse(self, parser: jinja2.parser.Parser) -> list[jinja2.nodes.Node]:
            next(parser.stream)
            return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))

    def raise_exception(message: object) -> NoReturn:
        raise jinja2.TemplateError(str(message))

    def to_json(value: object, indent: int | None = None, **options: Any) -> str:
        if indent is not None and not 0 <= indent <= 16:
            raise jinja2.TemplateError("indent")
        return json.dumps(
            value,
            indent=indent,
            ensure_ascii=bool(options.get("ensure_ascii", False)),
            separators=options.get("separators"),
            sort_keys=bool(options.get("sort_keys", False)),
        )

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda layout: datetime.now().strftime(layout)
    return environment


def _compiled(source: str) -> tuple[Any, dict[str, Any]]:
    """Returns the template, and the names it asks for; a template that loads others is refused."""
    import jinja2.meta
    import jinja2.nodes

    environment = _environment()
    tree = environment.parse(source)
    others = (jinja2.nodes.Include, jinja2.nodes.Import, jinja2.nodes.FromImport, jinja2.nodes.Extends)
    if found := tree.find(others):
        raise jinja2.TemplateError(type(found).__name__.lower())
    names = sorted(jinja2.meta.find_undeclared_variables(tree))
    return environment.from_string(source), {"names": names}


def _start(source: str) -> tuple[Any, Callable[[Any], Any]]:
    import jinja2

    limit_memory(MEMORY_BYTES)
    template: Any = None

    def answer(action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return action()
        except jinja2.exceptions.SecurityError as error:
            return {"unsafe": str(error)}
        except jinja2.TemplateError as error:
            return {"error": str(error)}
        except (ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def compile_source() -> dict[str, Any]:
        nonlocal template
        template, facts = _compiled(source)
        return facts

    return answer(compile_source), lambda variables: answer(lambda: {"text": template.render(**variables)})


if __name__ == "__main__":
    serve(_start)
