"""Changes in whom this installation signs as and whom it believes, each with its ledger entry."""

from inkseal.core.errors import TrustError
from inkseal.studio.provenance.sealer import Sealer
from inkseal.studio.provenance.signer import common_name, fingerprint
from inkseal.studio.provenance.trust import KnownIssuer


def rotate(sealer: Sealer) -> str:
    """Puts a new authority in force and returns its fingerprint; what the old one signed stays valid.

    The entry is signed by the old key and names the new one. A crash in between leaves the new one prepared, and the
    next call goes on with it. Where the old key is damaged, the new one signs the entry, and the entry says so.
    """
    trust = sealer.trust
    fresh = trust.pending_rotation() or trust.prepare_rotation()
    facts = {"new": fingerprint(fresh.authority), "name": common_name(fresh.authority)}
    try:
        facts["old"] = fingerprint(trust.identity().authority)
    except TrustError:
        trust.finish_rotation()
        sealer.note("trust_rotated", {**facts, "old": "damaged"})
        return facts["new"]
    sealer.note("trust_rotated", facts)
    trust.finish_rotation()
    sealer.committed()
    return facts["new"]


def add(sealer: Sealer, issuer: KnownIssuer, name: str = "") -> KnownIssuer:
    """Believes the seals of another installation from now on."""
    kept = sealer.trust.add_known(issuer, name)
    sealer.note("key_imported", {"fingerprint": kept.fingerprint})
    return kept


def remove(sealer: Sealer, start: str) -> KnownIssuer:
    """Believes them no longer.

    Raises:
        UnknownName: no imported issuer's name is `start`, or its fingerprint does not begin so.
    """
    gone = sealer.trust.remove_known(start)
    sealer.note("key_removed", {"fingerprint": gone.fingerprint})
    return gone
