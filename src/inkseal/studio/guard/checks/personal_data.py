"""Finds personal data and offers reversible placeholders. Knows only what the text modality can recognise."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, cast

from pydantic import Field

from inkseal.core.config import ComponentConfig
from inkseal.core.language import say
from inkseal.core.types import Action, Finding, Part, Stage, Verdict
from inkseal.modalities.text.personal_data import LONGEST, recognise
from inkseal.studio.guard.judge import verdict_of
from inkseal.studio.guard.placeholders import Placeholders

Kind = Literal["id_card", "mobile", "bank_card", "email", "passport"]
_ALL: frozenset[Kind] = frozenset(("id_card", "mobile", "bank_card", "email", "passport"))


_GROWING = re.compile(r"[+(]?\d[\d\s().-]*$|[^\s\u3000-\u303f\u4e00-\u9fff\uff0c\uff1a\uff1b]+$")
"""A number with its separators, or a word without blanks, that the next characters may go on with."""


class PersonalDataConfig(ComponentConfig):
    """What happens to personal data, by who wrote it.

    A local model may read what its user typed: flagging loses nothing, whereas a placeholder would keep the model from
    answering questions about it. Data of third parties in documents, tool results and web pages is replaced.
    """

    kinds: frozenset[Kind] = Field(
        _ALL, description="Which kinds to look for.", json_schema_extra={"zh": "要查找的种类。"}
    )
    own_action: Action = Field(
        "flag",
        description="For the user's, system's and model's words; redact for remote models.",
        json_schema_extra={"zh": "对用户、系统的文字及先前回答的处理。"},
    )
    untrusted_action: Action = Field(
        "redact",
        description="For documents, tool results and web pages.",
        json_schema_extra={"zh": "对文档、工具结果和网页的处理。"},
    )
    result_action: Action = Field(
        "flag", description="For what the model wrote.", json_schema_extra={"zh": "对模型所写内容的处理。"}
    )
    min_score: float = Field(
        0.6,
        ge=0,
        le=1,
        description="Certainty below which a hit is dropped.",
        json_schema_extra={"zh": "低于此把握的命中将被忽略。"},
    )


class PersonalData:
    """Chinese identity cards, mobile numbers, bank cards, e-mail addresses, passports.

    One object numbers equal values equally for as long as it lives, across calls and stages: make one per run.
    """

    name: ClassVar[str] = "personal_data"
    version: ClassVar[str] = "1"
    stages: ClassVar[frozenset[Stage]] = frozenset({"prompt", "result"})
    needs: ClassVar[frozenset[str]] = frozenset()
    config: ClassVar[type[ComponentConfig]] = PersonalDataConfig

    def __init__(self, config: ComponentConfig, **resources: Any) -> None:
        self._config = cast(PersonalDataConfig, config)
        self._placeholders = Placeholders()

    def inspect(self, parts: Sequence[Part], stage: Stage) -> Verdict:
        """Returns the verdict; findings to be redacted carry a placeholder such as `⟨ID_CARD_1⟩`."""
        self._placeholders.avoid(part.text for part in parts)
        judged: list[tuple[Finding, Action]] = []
        for index, part in enumerate(parts):
            action = self._action(part, stage)
            if action == "allow":
                continue
            for hit in recognise(part.text, self._config.kinds, self._config.min_score):
                placeholder = self._placeholders.of(hit.kind, hit.value) if action == "redact" else None
                found = Finding(
                    rule=f"personal_data.{hit.kind}",
                    category=hit.kind,
                    part=index,
                    start=hit.start,
                    end=hit.end,
                    score=hit.score,
                    replacement=placeholder,
                )
                judged.append((found, action))
        return verdict_of(self.name, self.version, stage, judged)

    def unfinished(self, text: str) -> int:
        """Returns the length of the number or unbroken word at the end, where results are changed at all."""
        if self._config.result_action not in ("redact", "block"):
            return 0
        match = _GROWING.search(text[-LONGEST:])
        return len(match.group()) if match else 0

    def _action(self, part: Part, stage: Stage) -> Action:
        if stage == "result":
            return self._config.result_action
        return self._config.own_action if part.origin.trusted else self._config.untrusted_action

    @staticmethod
    def explain(finding: Finding) -> str:
        """Says in the current language what kind of datum was found."""
        kinds = {
            "id_card": say("identity card number", "身份证号"),
            "mobile": say("mobile number", "手机号"),
            "bank_card": say("bank card number", "银行卡号"),
            "email": say("e-mail address", "电子邮箱"),
            "passport": say("passport number", "护照号"),
        }
        return say("personal data: ", "个人信息：") + kinds.get(finding.category, finding.category)
