"""How every rule of an app stands with what was made, in the words of a manifest."""

from inkseal.apps.answers import answer_of, applies
from inkseal.apps.events import StepRecord
from inkseal.apps.rules import rules
from inkseal.apps.work import Work
from inkseal.core.types import Finding, Verdict


def rule_verdicts(work: Work) -> list[Verdict]:
    """Returns how every rule stands with what its step made, in the words of a manifest."""
    found = []
    for step in work.file.app.steps:
        if step.name not in work.scope or work.records.get(step.name, StepRecord(step="")).skipped:
            continue
        answers = [answer_of(part) for part in step.parts_of(work.scope[step.name].value)]
        for config in work.file.app.rules_of(step):
            if not applies(config, work.facts):
                continue
            rule = rules[config.kind](config)
            unmet = [text for answer in answers for text in rule.problems(answer, work.facts)]
            hits = tuple(Finding(rule=f"app.{config.kind}", category="form") for _ in unmet[:16])
            action = "flag" if unmet else "allow"
            found.append(Verdict(check=f"app.{config.kind}", version="1", stage="result", action=action, findings=hits))
    return found
