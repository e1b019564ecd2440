#!/bin/sh
# Makes `pnpm` of one version available, keeping what the image already has.
# Usage: pnpm.sh VERSION (exact, or a major such as 10)
set -eu
wanted=$1
# Outside the repo, so that no packageManager field makes pnpm switch itself.
cd /
have=$(pnpm --version 2>/dev/null || true)
case $have in
  "$wanted" | "$wanted".*) exit 0 ;;
esac
if command -v npm >/dev/null 2>&1; then
  npm install --global --no-fund --no-audit --no-update-notifier "pnpm@$wanted"
elif command -v corepack >/dev/null 2>&1; then
  corepack enable pnpm
  corepack install --global "pnpm@$wanted"
else
  echo "the image has neither npm nor corepack to install pnpm $wanted with (it has: ${have:-no pnpm})" >&2
  exit 1
fi
