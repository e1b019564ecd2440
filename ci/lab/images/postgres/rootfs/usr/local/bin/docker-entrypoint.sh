#!/bin/sh
# First start: initdb with POSTGRES_USER, POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) and
# POSTGRES_DB, in PGDATA. Then the server, as user postgres.
set -eu

initialise() {
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
  fi
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo 'Set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE: the superuser needs a password.' >&2
    exit 1
  fi
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  password=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
  initdb --username="$user" --pwfile="$password" --auth-local=trust --auth-host=scram-sha-256 \
    --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 --pgdata="$PGDATA" >/dev/null
  rm -f "$password"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  [ "$database" = postgres ] && return
  # On the socket only: a health check by address must not see this one as ready.
  pg_ctl --pgdata="$PGDATA" --options="-c listen_addresses=''" --wait start >/dev/null
  createdb --username="$user" "$database"
  pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop >/dev/null
}

case ${1:-postgres} in -*) set -- postgres "$@" ;; esac
[ $# -gt 0 ] || set -- postgres
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql
  chown postgres:postgres "$PGDATA" /run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

[ -s "$PGDATA/PG_VERSION" ] || initialise
unset POSTGRES_PASSWORD
shift
exec postgres -c listen_addresses='*' "$@"
