"""Puts pictures into an installation as its engines do."""

from inkseal.core.types import Artifact, Usage, new_id, now
from inkseal.modalities.image.request import ImageRequest
from inkseal.store import artifacts
from inkseal.studio.provenance.sealer import Sealer


def record_picture(sealer: Sealer, content: bytes, media_type: str = "image/png", owner: str = "") -> Artifact:
    """Seals a picture as the story does."""
    sha256, size_bytes = sealer.store.blobs.put(content)
    facts = {"modality": "image", "media_type": media_type, "sha256": sha256, "size_bytes": size_bytes}
    artifact = Artifact(id=new_id(), created_at=now(), title="Mr Wu at home", **facts)  # type: ignore[arg-type]
    request = ImageRequest.of("Mr Wu at home", seed=7)
    signed = sealer.seal(sealer.manifest(artifact, content=content, request=request, usage=Usage()))
    with sealer.store.transaction() as session:
        artifacts.add(session, artifact, owner=owner)
        sealer.record(session, artifact, content, signed)
    sealer.committed()
    return artifact
