"""Says in words what a verdict found, in the current language."""

from inkseal.core.language import say
from inkseal.core.types import Finding, Verdict
from inkseal.studio.guard.checks import checks


def explain(verdict: Verdict) -> str:
    """Returns one line without repetitions, such as `personal data: mobile number; personal data: e-mail address`."""
    if not verdict.findings:
        return say("nothing found", "未发现问题")
    words = dict.fromkeys(explain_finding(verdict.check, finding) for finding in verdict.findings)
    return say("; ", "；").join(words)


def explain_finding(check: str, finding: Finding) -> str:
    """Returns the check's own words for a finding; the rule's name when the check has none."""
    speak = getattr(checks[check], "explain", None) if check in checks else None
    return str(speak(finding)) if speak else finding.rule
