#!/bin/sh
# Checks that a build made the program its image starts. Usage: present.sh PROGRAM APP-NAME   (in the app's folder)
set -eu
for file in "$1" "$1.js" "$1.mjs" "$1.cjs" "$1/index.js"; do
  if [ -f "$file" ]; then exit 0; fi
done
name=$(basename "${1%.js}").js
others=$(find . -name node_modules -prune -o -name "$name" -type f -print | sed 's|^\./||' | sort | tr '\n' ' ')
echo "the build made no $1${others:+, but ${others% }}: set [apps.$2] entry to the file to start" >&2
exit 1
