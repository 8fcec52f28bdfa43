"""Fails when a file or a function has grown past what fits in a head: 400 lines, 60 lines."""

import ast
import sys
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60


def too_long(root: Path) -> list[str]:
    """Returns one line for each file and function over its limit."""
    rows = []
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if (length := text.count("\n")) > FILE_LINES:
            rows.append(f"{path}: {length} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    rows.append(f"{path}:{node.lineno} {node.name}: {length} lines")
    return rows


if __name__ == "__main__":
    found = too_long(Path("src"))
    print("\n".join(found) or "sizes: every file and function fits")
    sys.exit(bool(found))
