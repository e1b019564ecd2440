#!/bin/sh
# Runs one named step and notes when it ran, so that the report can tell a fresh step from a reused layer.
# Usage: step.sh NAME COMMAND [ARGUMENT...]
set -eu
name=$1
shift

# Milliseconds since the epoch; whole seconds where `date` knows no fractions (busybox).
now() {
  stamp=$(date +%s%3N)
  case $stamp in *[!0-9]*) stamp=$(date +%s)000 ;; esac
  printf %s "$stamp"
}

begun=$(now)
"$@"
printf '%s\t%s\t%s\n' "$begun" "$(now)" "$name" >> /slipway/steps.tsv
