#!/bin/sh
# Makes OpenSSL's library available to Prisma's native engines, where the image lacks it.
set -eu
for folder in /lib /usr/lib /usr/local/lib; do
  if [ -d "$folder" ] && find "$folder" -maxdepth 2 -name 'libssl.so.*' | grep -q .; then exit 0; fi
done
if command -v apk >/dev/null 2>&1; then
  apk add --no-cache openssl
elif command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssl ca-certificates
  rm -rf /var/lib/apt/lists/*
else
  echo "the image has no OpenSSL library and neither apt-get nor apk to install it with" >&2
  exit 1
fi
