#!/bin/sh
# Makes OpenSSL's library available to Prisma's native engines, where the image lacks it.
#
# Every image begins with what is here afterwards: it tells nothing of when this ran.
set -eu

# The engine makes /etc/resolv.conf and /etc/hosts for the while that a command runs.
touch -h -d @0 /etc
for folder in /lib /usr/lib /usr/local/lib; do
  if [ -d "$folder" ] && find "$folder" -maxdepth 2 -name 'libssl.so.*' | grep -q .; then exit 0; fi
done

sleep 1 # busybox compares times by whole seconds
if command -v apk >/dev/null 2>&1; then
  apk add --no-cache openssl
elif command -v apt-get >/dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssl ca-certificates
  rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
  rm -f /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
else
  echo "the image has no OpenSSL library and neither apt-get nor apk to install it with" >&2
  exit 1
fi
# This script came last of all to the image. What the engine has mounted cannot be changed, and is in no image.
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path "${0%/*}" \) -prune -o \
  -newer "$0" -exec touch -h -d @0 {} + 2>/dev/null || true
