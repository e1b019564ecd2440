#!/bin/sh
# Runs a package's build with TypeScript's build info kept from the last one.
#
# The output folder and the *.tsbuildinfo files come back only if the list of source files and every
# tsconfig are as they were: a renamed file would otherwise leave its old output in the image.
# Usage: compile.sh OUTPUT-FOLDER CACHE-FOLDER COMMAND [ARGUMENT...]   (in the package's folder)
set -eu
output=$1
cache=$2
shift 2

infos() { find . -name node_modules -prune -o -name '*.tsbuildinfo' -type f -print; }
listing() { find "$output" -type f ! -name '*.tsbuildinfo' | sort; }
fingerprint() {
  {
    find . \( -name node_modules -o -path "./$output" \) -prune -o -type f ! -name '*.tsbuildinfo' -print | sort
    find . \( -name node_modules -o -path "./$output" \) -prune -o \
      \( -name 'tsconfig*.json' -o -name nest-cli.json -o -name package.json \) -type f -print | sort | xargs cat
    cat /app/tsconfig*.json /app/pnpm-lock.yaml 2>/dev/null || true
  } | sha256sum | cut -d ' ' -f 1
}

# Nest's deleteOutDir would delete the build info it is about to use; the folder here is fresh or ours.
if [ -f nest-cli.json ]; then
  sed -i 's/\("deleteOutDir"[[:space:]]*:[[:space:]]*\)true/\1false/' nest-cli.json
fi

mark=$(fingerprint)
restored=
if [ -f "$cache/mark" ] && [ "$(cat "$cache/mark")" = "$mark" ]; then
  restored=yes
  (cd "$cache/files" && tar -cf - .) | tar -xf -
fi

"$@"

# A build that clears its output but not the build info next to it emits nothing: do it again, from nothing.
if [ -n "$restored" ] && [ "$(listing 2>/dev/null)" != "$(cat "$cache/listing")" ]; then
  echo "the kept build info no longer fits this build's output: building again without it"
  rm -rf "$output"
  infos | xargs -r rm -f
  "$@"
fi

rm -rf "$cache/mark" "$cache/files" "$cache/listing"
if [ -n "$(infos)" ] && [ -d "$output" ]; then
  mkdir -p "$cache/files"
  { infos; echo "./$output"; } | sort -u | tar -cf - -T - | tar -xf - -C "$cache/files"
  listing > "$cache/listing"
  printf %s "$mark" > "$cache/mark"
fi
