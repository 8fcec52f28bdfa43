"""The installation's settings: all of them explained, and those changed that a page may change."""

import threading
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Request

from inkseal.core.config import FILE as SETTINGS_FILE
from inkseal.core.config import PREFIX, Settings, configure, environment, read_values
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Closed
from inkseal.serve import audit
from inkseal.serve.callers import Admin, Caller
from inkseal.serve.errors import Refused
from inkseal.store.settings_file import Change, change_settings, changed_settings
from inkseal.studio.guard.checks import checks

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])
Origin = Literal["default", "file", "environment"]
Schema = dict[str, Any]
_writing = threading.Lock()


class SettingFacts(Closed):
    """One setting. `live`: a page may change it, and it holds at once. Values of the others stay on the machine."""

    name: str
    description: str
    source: Origin
    live: bool
    value: Any = None


class CheckFacts(Closed):
    """A check's config; `changed` holds what differs from the defaults."""

    name: str
    description: str
    config_schema: Schema
    value: dict[str, Any]
    changed: dict[str, Any]


class SettingsFacts(Closed):
    """All settings, and the schema of those that may be changed here."""

    change_schema: Schema
    settings: tuple[SettingFacts, ...]
    checks: tuple[CheckFacts, ...]


@router.get("", summary="All settings, explained")
def show(request: Request, caller: Admin) -> SettingsFacts:
    return _all(request.app.state.studio.settings)


@router.patch("", summary="Change settings; null puts one back to its default")
def change(
    request: Request,
    caller: Admin,
    values: Annotated[dict[str, Any], Body(description="Name → value.", max_length=32)],
) -> SettingsFacts:
    given = environment()
    for name in values:
        if name not in live_fields() or name == "checks":
            raise Refused(
                400,
                "not_changeable",
                say(f"{name[:80]!r} cannot be changed from here.", f"{name[:80]!r} 不能在此修改。"),
                fix=say(f"Change it in {SETTINGS_FILE} on the machine.", f"请在服务器上的 {SETTINGS_FILE} 中修改。"),
                param=name[:80],
            )
        if name in given:
            raise Refused(
                409,
                "set_by_environment",
                say(f"{name!r} is set by an environment variable.", f"{name!r} 由环境变量设定。"),
                fix=say(f"Change {PREFIX}{name.upper()} there.", f"请在那里修改 {PREFIX}{name.upper()}。"),
                param=name,
            )
    return _change(request, caller, values, ", ".join(values))


@router.put("/checks/{name}", summary="Change a check's config; what is left out has its default")
def change_check(
    name: Annotated[str, Path(max_length=60)],
    request: Request,
    caller: Admin,
    values: Annotated[dict[str, Any], Body(description="The config's fields.", max_length=64)],
) -> SettingsFacts:
    kind = checks[name].config
    now = request.app.state.studio.settings.checks.get(name, {})
    fixed = _file_fields(kind.model_json_schema())
    for field in fixed & values.keys():
        if values[field] != now.get(field):
            raise Refused(
                400,
                "not_changeable",
                say(f"{field!r} names files of the server.", f"{field!r} 指向服务器上的文件。"),
                fix=say(f"Change it in {SETTINGS_FILE} on the machine.", f"请在服务器上的 {SETTINGS_FILE} 中修改。"),
                param=field,
            )
    asked = {field: value for field, value in values.items() if field not in fixed}
    wanted = configure(kind, asked, f"checks.{name}").model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    kept = {field: now[field] for field in fixed & now.keys()}
    return _change(request, caller, {f"checks.{name}": {**wanted, **kept} or None}, f"checks.{name}")


def live_fields() -> dict[str, Any]:
    """Returns the fields of the settings that may be changed while the server runs."""
    return {name: field for name, field in Settings.model_fields.items() if _extra(field).get("live")}


def _change(request: Request, caller: Caller, change: Change, what: str) -> SettingsFacts:
    studio = request.app.state.studio
    data_dir = studio.settings.data_dir
    with _writing:
        try:
            # Taken over first: checks are made with it, and a config that makes none must not reach the file.
            before, settings = studio.settings, changed_settings(data_dir, change)
            studio.use(settings)
            try:
                change_settings(data_dir, _as_read(change, settings))
            except BaseException:
                studio.use(before)
                raise
        except (ValueError, TypeError) as error:
            raise InvalidRequest(say(f"This cannot be used: {error}.", f"无法使用：{error}。")) from None
    audit.note(studio.store, caller.key_id, "settings_changed", what, request.state.request_id)
    return _all(settings)


def _as_read(change: Change, settings: Settings) -> Change:
    """Returns the change with values as they were understood: a number that came as text is written as a number."""
    read = settings.model_dump(mode="json")
    return {name: value if value is None else read.get(name, value) for name, value in change.items()}


def _all(settings: Settings) -> SettingsFacts:
    in_file, in_environment = read_values(settings.data_dir / SETTINGS_FILE), environment()
    live = live_fields()
    facts = []
    for name, field in Settings.model_fields.items():
        source: Origin = "environment" if name in in_environment else "file" if name in in_file else "default"
        facts.append(
            SettingFacts(
                name=name,
                description=say(field.description or "", _extra(field).get("zh", "")),
                source=source,
                live=name in live,
                value=settings.model_dump(mode="json")[name] if name in live else None,
            )
        )
    return SettingsFacts(
        change_schema=_change_schema(live.keys() - {"checks"}),
        settings=tuple(facts),
        checks=tuple(_check(name, settings.checks.get(name, {})) for name in checks),
    )


def _change_schema(names: Any) -> Schema:
    schema = Settings.model_json_schema()
    kept = {name: part for name, part in schema["properties"].items() if name in names}
    return {"type": "object", "title": "Settings", "properties": kept, "$defs": schema.get("$defs", {})}


def _check(name: str, changed: Mapping[str, Any]) -> CheckFacts:
    kind = checks[name]
    schema = kind.config.model_json_schema()
    for field in _file_fields(schema):
        schema["properties"][field]["readOnly"] = True
    value = kind.config.model_validate(changed).model_dump(mode="json")
    doc = (kind.__doc__ or "").strip().split("\n", 1)[0]
    return CheckFacts(name=name, description=doc, config_schema=schema, value=value, changed=dict(changed))


def _file_fields(schema: Schema) -> frozenset[str]:
    """Returns the fields that name files: a page must not choose what the server reads."""
    return frozenset(name for name, part in schema.get("properties", {}).items() if "'path'" in str(part))


def _extra(field: Any) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
