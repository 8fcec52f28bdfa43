#!/bin/sh
# From an empty machine to sealed answers: every line is a command you can repeat.
set -eu
out=${INKSEAL_DEMO_DIR:-demo}
mkdir -p "$out"

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

say inkseal models pull default
say inkseal models pull embedding
say inkseal generate text "用三句话向小学生解释什么是光合作用。" --seed 7 --max-tokens 200 --out "$out/光合作用.md"
say inkseal generate text "Explain in three sentences why the sky is blue." --seed 7 --max-tokens 200 --out "$out/sky.html"
say inkseal verify "$out/光合作用.md"
say inkseal verify "$out/sky.html"
say inkseal ledger verify
