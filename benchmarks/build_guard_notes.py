"""Puts together harmless notes in Markdown for training the injection check: pieces of the READMEs of evaluations.

    python benchmarks/build_guard_notes.py --archives FOLDER

FOLDER holds the archives that data/guard/SOURCES.md names. Evaluations about attacks, and those whose texts any
test set holds, are left out, and so is every piece that is near to a test text.
"""

import argparse
import random
import re
from pathlib import Path

from build_guard_data import Archives, disjoint, row, take, without_doubles, write
from guard_measure import FRESH, SECOND, read

SEED, MOST = 9, 240
READMES = r"^inspect_evals/[a-z0-9_]+/README\.md$"
LEFT_OUT = re.compile(
    r"/(agent_bench|agent_threat_bench|agentdojo|agentharm|agentic_misalignment|b3|cyberseceval|fortress|gdm_|ipi_|"
    r"makemesay|persistbench|swe_lancer|strong_reject|tau2|writingbench|abstention_bench|coconot|xstest)"
)


def pieces(page: str) -> list[str]:
    """Returns the parts between headings, with their headings."""
    parts = re.split(r"\n(?=#{1,3} )", re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL))
    return [part.strip()[:1500] for part in parts if len(part.strip()) >= 80]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, required=True)
    archives = Archives(parser.parse_args().archives)
    found = [
        piece
        for name, page in archives.members("inspect_evals", READMES)
        if not LEFT_OUT.search("/" + name.removeprefix("inspect_evals/"))
        for piece in pieces(page)
    ]
    rows = take(
        random.Random(SEED), found, MOST, lambda text: row(text, False, "en", "document", "inspect-evals READMEs")
    )
    kept = disjoint(without_doubles(rows), [item for name in (FRESH, SECOND) for item in read(name)])
    write("injection_notes.jsonl.gz", kept)
    print(len(found), len(kept))


if __name__ == "__main__":
    main()
