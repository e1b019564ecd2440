#!/bin/sh
# A flag or the name of a script is for node; the name of a program is run as it is.
set -e
case $1 in
  -*) set -- node "$@" ;;
  *) command -v "$1" >/dev/null 2>&1 || set -- node "$@" ;;
esac
exec "$@"
