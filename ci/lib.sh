# Sourced by the scripts of ci/: strict mode, where things are, words for the terminal.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/slipway
lab=$cache/lab
tools=${XDG_DATA_HOME:-$HOME/.local/share}/drydock/bin

# The commands import a few hundred modules: compiling them each time would cost half a second.
unset PYTHONDONTWRITEBYTECODE
# sbin has runc and iptables, and is not on every user's PATH.
export PATH=$root/.venv/bin:$tools:$PATH:$cache/uv/bin:/usr/local/sbin:/usr/sbin:/sbin
# ci/lab/up writes this file and ci/lab/down removes it: the daemon's registry mirror.
if [ -z "${DRYDOCK_CONFIG:-}" ] && [ -f "$lab/drydock.toml" ]; then
  export DRYDOCK_CONFIG=$lab/drydock.toml
fi

# say NAME TEXT…: one line of a table.
say() { printf '%-10s %s\n' "$1" "${*:2}"; }

# fail TEXT: what is wrong and what to do.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# step NAME COMMAND…: run a command that shows its own progress; then one line with its seconds.
step() {
  local name=$1 start=$SECONDS
  shift
  say "$name" "$*"
  "$@" || fail "$name failed after $((SECONDS - start)) s"
  say "$name" "done in $((SECONDS - start)) s"
}
