#!/usr/bin/env bash
# Installs what the demo's servers need and the machine lacks: on Debian and Ubuntu, by apt, as root
# or with sudo that asks for no password. Doing it again costs nothing.
set -euo pipefail

has_postgresql() {
    type -P initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
        || compgen -G '/usr/pgsql-*/bin/initdb' >/dev/null
}
if has_postgresql; then exit 0; fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo -n); fi
if ! type -P apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "install: PostgreSQL's server is missing, and only apt as root can install it here: install it," \
        "or use the container of demo/compose.yml" >&2
    exit 1
fi
echo "install: PostgreSQL is missing; installing it with apt" >&2
# We bring our own server: the package shall not make one and start it at every boot.
drop_in=/etc/postgresql-common/createcluster.d/watershed-demo.conf
trap '"${as_root[@]}" rm -f "$drop_in"' EXIT
"${as_root[@]}" mkdir -p "${drop_in%/*}"
"${as_root[@]}" tee "$drop_in" >/dev/null <<<'create_main_cluster = false'
"${as_root[@]}" apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql >&2
has_postgresql
