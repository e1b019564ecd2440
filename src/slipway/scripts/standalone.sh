#!/bin/sh
# Lays out what a built Next.js app needs at run time, as it will lie in the image: its dependencies in
# OUT/dependencies, all else in OUT/app.
# Usage: standalone.sh APP-FOLDER [REPO [OUT]]   (the app's folder is relative to the repo)
set -eu
app=$1
repo=${2:-/app}
out=${3:-/out}
scripts=$(cd "$(dirname "$0")" && pwd)
cd "$repo/$app"

# Next writes this file into its output folder, whatever distDir names it.
record=$(find . -maxdepth 3 -name node_modules -prune -o -name required-server-files.json -type f -print | head -n 1)
dist=$(dirname "${record:-./.next/none}")
dist=${dist#./}
standalone=./$dist/standalone
if [ ! -d "$standalone" ]; then
  echo "next build left no standalone server in $app/$dist: set output: 'standalone' in next.config" \
    "(output: 'export' makes a site without a server, which has no place in this image)" >&2
  exit 1
fi

# The traced tree begins at outputFileTracingRoot, which may be the repo, a folder between, or the app.
# The build id lies in the app's output folder; a route may be named server.js too.
build=$(cd "$standalone" && find . -name node_modules -prune -o -path "./*$dist/BUILD_ID" -type f -print | head -n 1)
inside=$(dirname "$(dirname "${build:-./none/none}")")
inside=${inside#./}
if [ ! -f "$standalone/$inside/server.js" ]; then
  echo "next build left no server.js in $app/$dist/standalone" >&2
  exit 1
fi
case $inside in
  .) prefix=$app ;;
  "$app") prefix=. ;;
  *)
    prefix=${app%/"$inside"}
    if [ "$prefix" = "$app" ]; then
      echo "server.js is in $app/$dist/standalone/$inside, which is not a part of $app: check outputFileTracingRoot" >&2
      exit 1
    fi
    ;;
esac

target=$out/app$repo/$prefix
mkdir -p "$target"
(cd "$standalone" && tar -cf - .) | tar -xf - -C "$target"

home=$out/app$repo/$app
mkdir -p "$home/$dist/cache"
if [ -d "$dist/static" ]; then cp -a "$dist/static" "$home/$dist/static"; fi
if [ -d public ]; then
  rm -rf "$home/public"
  cp -a public "$home/public"
fi

# Dependencies go first and apart, with fixed times: the layer is then the same, byte for byte, until they change.
mkdir -p "$out/dependencies"
(cd "$out/app" && find . -type d -name node_modules -prune) | while read -r folder; do
  mkdir -p "$out/dependencies/$(dirname "$folder")"
  mv "$out/app/$folder" "$out/dependencies/$folder"
done
find "$out/dependencies" -exec touch -h -d @0 {} +

node "$scripts/keys.mjs" "$home/$dist"
node "$scripts/settle.mjs" "$out/app"
node "$scripts/renewed.mjs" "$home/$dist"
# Incremental pages and optimised images are written while serving.
chown -R 1000:1000 "$home/$dist"
