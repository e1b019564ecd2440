"""Shell scripts that steps run on the server: constants, values reach them as arguments or by standard input."""

from .health import LEAVING
from .names import HEADER

# $1 the compose file, $2 the folder, $3 the dump, $4 user, $5 database.
# Postgres' own format is compressed. Dumps of deploys that failed one after the other are of a database that something
# may be wrong with: the first of them, which is from before, and the newest two stay. `served` was written last when a
# release took over.
DUMP = """
set -eu
umask 077
mkdir -p -- "$2"
trap 'rm -f -- "$2/$3.part"' EXIT
trap 'exit 1' HUP INT TERM
docker compose --file "$1" exec --no-TTY db pg_dump -U "$4" -d "$5" -Fc >"$2/$3.part"
sync -- "$2/$3.part"
mv -f -- "$2/$3.part" "$2/$3"
if [ -e "$2/served" ]; then
  find "$2" -maxdepth 1 -name '*.dump' -newer "$2/served" -printf '%T@ %f\\n' | sort -rn | tail -n +3 | head -n -1 |
    while read -r _ old; do rm -f -- "$2/$old"; done
fi
stat -c '%n %s bytes' -- "$2/$3"
"""
# $1 the folder, $2 this release's dump, $3 how many are kept: the newest by the time they were written, wherever they
# came from and whatever they are called; this release's always.
KEEP_DUMPS = """
set -eu
find "$1" -maxdepth 1 -name '*.dump' ! -name "$2" -printf '%T@ %f\\n' | sort -rn | tail -n "+$3" |
  while read -r _ old; do rm -f -- "$1/$old"; done
touch -- "$1/served"
"""
# $1 the file, $2 its copy: whole or not at all, and never readable by others.
COPY = """
set -eu
umask 077
mkdir -p -- "$(dirname -- "$2")"
part=$(mktemp -- "$2.XXXXXX")
trap 'rm -f -- "$part"' EXIT
trap 'exit 1' HUP INT TERM
cat -- "$1" >"$part"
sync -- "$part"
mv -f -- "$part" "$2"
"""
# $1 the site's folder. Removes what a broken connection or a power cut left half written: names that `mktemp` made of
# ours, and dumps that did not come to their end.
SWEEP = """
find "$1" -type f \\( -name '*.env.??????' -o -name '*.json.??????' -o -name '*.yaml.??????' \\
  -o -name 'completed.??????' -o -name 'migrated.??????' -o -name '*.dump.part' \\) -delete
"""
# $1 the migrator's compose project: `down` by a project's name passes over what `run` made.
REMOVE = """
set -eu
there() { docker ps --all --quiet --filter "label=com.docker.compose.project=$1"; }
ids=$(there "$1")
[ -z "$ids" ] || docker rm --force $ids || [ -z "$(there "$1")" ]
"""
# $1 a migrator's compose project, $2 how many seconds it may take from its start on. A migration that is ended in the
# middle leaves a database that Prisma does not go on with (P3009). One that has ended by itself may be gone by now.
AWAIT = (
    """
set -eu
ids=$(docker ps --quiet --filter "label=com.docker.compose.project=$1")
for id in $ids; do
  started=$(docker inspect --format '{{.State.StartedAt}}' "$id" 2>/dev/null) || continue
  left=$(($(date --date "$started" +%s) + $2 - $(date +%s)))
  [ "$left" -le 0 ] || timeout "$left" docker wait "$id" >/dev/null 2>&1 || true
done
"""
    + REMOVE
)
# $@ images of releases that have gone. One that something still uses stays.
FORGET = 'timeout 50 docker image rm -- "$@" >/dev/null 2>&1 || true'
# $1 where slipway 0.1 had the site's folder, $2 where it belongs. A lock that is held goes along.
MOVE = """
[ ! -e "$2" ] || { echo "$2 is there already" >&2; exit 1; }
mv -T -- "$1" "$2"
"""
# $1 the database's container, $2 the site's network, $3 the address's host, $4 user, $5 database, $6 the site,
# $7 `migrated` where earlier releases did, $8 the proxy's network, $9 `look` to change nothing; the password on
# standard input.
# The name has to lead to the site's database alone, for whoever is on the networks that an app is on: asked from a
# container there. Docker looks names up in the proxy's network first.
# The mark is a setting of the cluster itself: no dump takes it along. It is read and set by the cluster's own socket,
# as who made it: the user of the address may be a lesser one.
PROVE = """
set -eu
container=$1 network=$2 host=$3 user=$4 database=$5 site=$6 migrated=$7 web=$8 look=$9
identifier='select system_identifier from pg_control_system()'
ask() {
  docker exec "$container" sh -c 'psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \\
    -U "${POSTGRES_USER:-postgres}" -d "$1" --command "$2"' ask "$database" "$1"
}
address=$(docker inspect --format "{{(index .NetworkSettings.Networks \\"$network\\").IPAddress}}" "$container")
image=$(docker inspect --format '{{.Image}}' "$container")
id=$(docker create --rm --interactive --network "$web" --entrypoint sh "$image" -c '
  set -eu
  IFS= read -r PGPASSWORD
  export PGPASSWORD
  seen=$(getent ahostsv4 "$1" | cut -d " " -f 1 | sort -u | tr "\\n" " ")
  if [ "$seen" != "$2 " ]; then
    echo "$1 leads to ${seen:-nothing}, and the database of $5 is $2: remove what else answers to $1" >&2
    exit 1
  fi
  psql --no-psqlrc --quiet --tuples-only --no-align -h "$1" -U "$3" -d "$4" --command "$6"
' prove "$host" "$address" "$user" "$database" "$site" "$identifier")
trap 'docker rm --force --volumes "$id" >/dev/null 2>&1 || true' EXIT
trap 'exit 1' HUP INT TERM
docker network connect "$network" "$id"
reached=$(docker start --attach --interactive "$id")
if [ "$reached" != "$(ask "$identifier")" ]; then
  echo "$host leads to another cluster than that of $container" >&2
  exit 1
fi
mark=$(ask "select setting from pg_file_settings where name = 'cluster_name' order by seqno desc limit 1")
if [ -n "$mark" ] && [ "$mark" != "$site" ]; then
  echo "the database that answers to $host is marked as that of $mark, not of $site (its setting cluster_name)" >&2
  exit 1
fi
if [ -n "$mark" ]; then echo "$host is the database of $site"; exit; fi
if [ -n "$look" ]; then echo "$host has no mark"; exit; fi
tables=$(ask "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')")
if [ -n "$migrated" ] && [ "$tables" = 0 ]; then
  echo "the database of $site has no table, although earlier releases migrated it: slipway 0.1 may have sent their" >&2
  echo "migrations to another site on this server (docs/operating.md). Look where the tables are, before anything" >&2
  echo "else is done. If it is to be empty, mark it as it is: ALTER SYSTEM SET cluster_name = '$site'" >&2
  exit 1
fi
ask "alter system set cluster_name = '$site'"
if [ "$tables" = 0 ]; then echo "$host is the new database of $site"; exit; fi
echo "$host had no mark, and is the database of $site from now on"
"""
# $1 a compose project. The last health checks: exit code and output of each.
HEALTH = """
docker ps --all --quiet --filter "label=com.docker.compose.project=$1" | xargs -r docker inspect --format \\
  '{{with .State.Health}}{{.Status}}{{range .Log}}
{{.End.Format "15:04:05"}} exit code {{.ExitCode}} {{.Output}}{{end}}{{end}}'
"""
# $@ compose projects. All in one command: a power cut should find the whole release, or none of it. Each has to be
# there and to work, before and after: one may have died since it was proved.
KEEP = """
set -eu
works() {
  ids=
  for project; do
    id=$(docker ps --quiet --filter health=healthy --filter "label=com.docker.compose.project=$project")
    [ -n "$id" ] || { echo "$project does not run, or is not healthy any more" >&2; exit 1; }
    ids="$ids $id"
  done
}
works "$@"
docker update --restart unless-stopped $ids >/dev/null
works "$@"
"""
# $@ compose projects. Makes them unhealthy, which takes three health checks.
LEAVE = """
ids=$(for project; do
  docker ps --quiet --filter health=healthy --filter "label=com.docker.compose.project=$project"
done)
for id in $ids; do
  docker exec --env NODE_OPTIONS= "$id" node -e 'require("fs").writeFileSync("@leaving", "")'
done
for id in $ids; do
  while [ "$(docker inspect --format '{{.State.Health.Status}}' "$id")" = healthy ]; do sleep 0.3; done
done
""".replace("@leaving", LEAVING)
# $1 a compose project, $2 an address inside the site, $3 the release that has to answer there. Asked as an app asks.
INSIDE = """
id=$(docker ps --quiet --filter "label=com.docker.compose.project=$1")
ask() { docker exec --env NODE_OPTIONS= "$id" node -e "$program" "$1" "$2"; }
program='
  const [url, release] = process.argv.slice(1), end = Date.now() + 30000;
  const ask = () => fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) }).then(
    answer => answer.headers.get("@header") ?? "no release", error => error.cause?.code ?? error.message);
  const go = async () => {
    let last;
    while ((last = await ask()) !== release) {
      if (Date.now() > end) { console.error(url + " is answered by " + last); process.exit(1); }
      await new Promise(done => setTimeout(done, 300));
    }
  };
  go();
'
# 125 and more is docker's own, which on a busy server may not get a process started.
for try in 1 2 3; do
  code=0
  ask "$2" "$3" || code=$?
  [ "$code" -ge 125 ] || exit "$code"
  sleep 1
done
exit "$code"
""".replace("@header", HEADER)
