"""Writes an artifact to a file, with the marks its regime asks for, and says which of the requirements that meets."""

import getpass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from inkseal.core.errors import InvalidRequest, UnknownName
from inkseal.core.language import say
from inkseal.core.protocols import Rendering, Seal, Writer
from inkseal.core.types import Artifact, Closed, Regime
from inkseal.modalities import modalities
from inkseal.modalities.text.segmentation import language_of
from inkseal.store import artifacts
from inkseal.store.durable import write_whole
from inkseal.studio.provenance.manifest import Requirement, SignedManifest, iso
from inkseal.studio.provenance.regimes import active, requirements
from inkseal.studio.provenance.sealer import Sealer


class ExportReport(Closed):
    """What was written, and how it stands with the regime."""

    artifact_id: str
    path: str
    format: str
    media_type: str
    sha256: str
    size_bytes: int
    regime: Regime
    marks: tuple[str, ...]
    requirements: tuple[Requirement, ...]

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """What the regime asks for and this file does not have."""
        return tuple(requirement for requirement in self.requirements if not requirement.met)


class Source(NamedTuple):
    """An artifact with what an export needs of it."""

    artifact: Artifact
    content: bytes
    signed: SignedManifest


def export(
    sealer: Sealer,
    artifact_id: str,
    path: Path,
    *,
    format: str = "",
    regime: Regime | None = None,
    agree_unlabelled: bool = False,
    agreed_by: str = "",
    with_manifest: bool = False,
) -> ExportReport:
    """Writes the artifact to `path`, whole or not at all, and records it.

    Args:
        sealer: the installation.
        artifact_id: what to export.
        path: where to; an existing file is replaced.
        format: a writer's name; by the path's suffix when empty.
        regime: the labelling rules; the artifact's own when absent. "none" needs `agree_unlabelled`.
        agree_unlabelled: the user asked for a file without labels and takes the duty to label it; this is logged.
        agreed_by: who agreed; the operating system's user name when empty.
        with_manifest: write the signed manifest beside it as `<path>.manifest.json`, for others to verify.

    Raises:
        InvalidRequest: the format is unknown, the artifact is withdrawn, or the agreement is missing.
        NotEnoughSpace, StoreError: the file could not be written.
    """
    path = path.expanduser().absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidRequest(say(f"{path} is not a place for a file.", f"{path} 不是可写文件的位置。"))
    source = load(sealer, artifact_id)
    name = format or format_of(source.artifact.modality, path)
    data, report = render(sealer, source, name, regime, agree_unlabelled=agree_unlabelled)
    facts = {"artifact_id": artifact_id, "format": name, "sha256": report.sha256, "regime": report.regime}
    if not report.marks:
        # Logged before the file exists: a file without labels is never there without its log.
        sealer.note("unlabelled_export", {**facts, "agreed_by": agreed_by or _user()})
        write_whole(path, data, 0o644)
    else:
        write_whole(path, data, 0o644)
        sealer.note("exported", {**facts, "marks": list(report.marks)})
    if with_manifest:
        write_whole(path.with_name(f"{path.name}.manifest.json"), source.signed.to_json(), 0o644)
    return report.model_copy(update={"path": str(path)})


def export_bytes(
    sealer: Sealer, artifact_id: str, name: str, regime: Regime | None = None, *, visible: bool = True
) -> tuple[bytes, ExportReport]:
    """Returns a labelled file as bytes, for whoever asked over the network, and records that it went out.

    Raises:
        InvalidRequest: the format is unknown, the artifact is withdrawn, or the regime is "none".
    """
    data, report = render(sealer, load(sealer, artifact_id), name, regime, visible=visible)
    facts = {"artifact_id": artifact_id, "format": report.format, "sha256": report.sha256, "regime": report.regime}
    sealer.note("exported", {**facts, "marks": list(report.marks)})
    return data, report


def render(
    sealer: Sealer,
    source: Source,
    name: str,
    regime: Regime | None = None,
    *,
    agree_unlabelled: bool = False,
    visible: bool = True,
) -> tuple[bytes, ExportReport]:
    """Returns the file's bytes and the report, without writing either.

    Without `visible`, only marks that change nothing anybody sees are put on: the label is shown beside it.

    Raises:
        InvalidRequest: the format is unknown, or an agreement is missing.
    """
    artifact, content, signed = source
    chosen: Regime = regime or signed.manifest.regime
    if not active(chosen) and not agree_unlabelled:
        raise InvalidRequest(
            say("A file without labels needs your agreement.", "导出无标识文件需要您明确同意。"),
            fix=say(
                "Agree with --unlabelled NAME: you then owe the label yourself, and the export is logged.",
                "请加 --unlabelled 姓名 表示同意：此后由您承担标识义务，且该次导出会被记录。",
            ),
        )
    writer = _writer(artifact, name)
    seal = _seal(sealer, source, chosen)
    chosen_marks = [
        mark
        for mark in sealer.marks()
        if mark.regimes & set(active(chosen))
        and mark.supports(writer.media_type)
        and (visible or mark.layer != "visible")
    ]
    rendering = Rendering(content=content, title=seal.title, language=seal.language)
    for mark in chosen_marks:
        rendering = mark.before(rendering, seal)
    data = writer.write(rendering)
    for mark in chosen_marks:
        data = mark.after(data, writer.media_type, seal)
    return data, _report(sealer, signed, chosen, writer, data, [(mark.name, mark.layer) for mark in chosen_marks])


def load(sealer: Sealer, artifact_id: str) -> Source:
    """Returns an artifact with its content and checked manifest, ready for `render`.

    Raises:
        UnknownName, InvalidRequest: it is not there, or withdrawn.
        Deleted: its content is gone.
        TrustError, StoreError: its manifest or its content was changed.
    """
    with sealer.store.reading() as session:
        artifact = artifacts.get(session, artifact_id)
        state = artifacts.row(session, artifact_id).state
        signed = sealer.load(session, artifact_id)
    if state == "deleted":
        raise artifacts.gone(artifact_id)
    if state != "active":
        raise InvalidRequest(
            say(f"{artifact_id} is {state} and is not exported.", f"{artifact_id} 状态为 {state}，不可导出。")
        )
    return Source(artifact, sealer.store.blobs.get(signed.manifest.content_sha256), signed)


def format_of(modality: str, path: Path) -> str:
    """Returns the name of the format that the path's suffix stands for.

    Raises:
        UnknownName: no format of the modality has that suffix.
    """
    writers = modalities[modality]().writers()
    suffixes = {writer.suffix: name for name, writer in writers.items()}
    if path.suffix.lower() not in suffixes:
        raise UnknownName("export format", path.suffix or path.name, suffixes)
    return suffixes[path.suffix.lower()]


def _writer(artifact: Artifact, name: str) -> Writer:
    writers = modalities[artifact.modality]().writers()
    own = (found for found in writers if writers[found].media_type == artifact.media_type)
    return writers[name or next(own)]()


def _seal(sealer: Sealer, source: Source, regime: Regime) -> Seal:
    artifact, content, signed = source
    manifest = signed.manifest
    words = "".join(part.text for part in modalities[artifact.modality]().parts(content))
    # The title of a picture is what somebody asked for: those words are not in it, and do not leave with it.
    title = artifact.title if words else ""
    return Seal(
        artifact_id=artifact.id,
        regime=regime,
        title=title or artifact.id,
        producer=sealer.producer,
        model=manifest.model.name if manifest.model else "",
        language=language_of(words or artifact.title),
        created_at=iso(manifest.created_at),
        content_sha256=manifest.content_sha256,
        manifest_sha256=manifest.sha256,
        manifest=manifest.model_dump(mode="json"),
    )


def _report(
    sealer: Sealer,
    signed: SignedManifest,
    regime: Regime,
    writer: Writer,
    data: bytes,
    applied: list[tuple[str, str]],
) -> ExportReport:
    layers = {layer for _, layer in applied} | {name for name, _ in applied} | {"record"}
    layers |= sealer.engine_layers(signed.manifest.usage)
    if "metadata" in layers:
        layers.add("signed")
    return ExportReport(
        artifact_id=signed.manifest.artifact_id,
        path="",
        format=writer.name,
        media_type=writer.media_type,
        sha256=sha256(data).hexdigest(),
        size_bytes=len(data),
        regime=regime,
        marks=tuple(name for name, _ in applied),
        requirements=requirements(
            regime,
            modality=signed.manifest.modality,
            layers=frozenset(layers),
            num_tokens=signed.manifest.usage.completion_tokens or None,
            producer=sealer.producer,
        ),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
