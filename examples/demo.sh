#!/bin/sh
# From an empty machine to sealed answers: every line after a $ is a command you can repeat.
set -eu
out=${INKSEAL_DEMO_DIR:-demo}
mkdir -p "$out"

step() { printf '\n$ %s\n' "$*"; "$@"; }

step inkseal models pull default
step inkseal models pull embedding
step inkseal models pull font
step inkseal generate text "用三句话向小学生解释什么是光合作用。" --seed 7 --max-tokens 200 --out "$out/光合作用.pdf"
step inkseal generate text "Explain in three sentences why the sky is blue." --seed 7 --max-tokens 200 --out "$out/sky.html"
step inkseal verify "$out/光合作用.pdf"
step inkseal verify "$out/sky.html"
step inkseal ledger verify
