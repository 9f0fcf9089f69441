#!/usr/bin/env bash
# Installs what the demo's servers need and the machine lacks: PostgreSQL and MariaDB, on Debian and Ubuntu by apt,
# as root or with sudo that asks for no password; the document server by pip. Doing it again costs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

has_postgresql() {
    type -P initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null \
        || compgen -G '/usr/pgsql-*/bin/initdb' >/dev/null
}
has_mariadb() {
    PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec type -P mariadbd >/dev/null && type -P mariadb-install-db >/dev/null \
        && type -P my_print_defaults >/dev/null
}
requirements/document-server.sh

names=() packages=()
if ! has_postgresql; then names+=(PostgreSQL) packages+=(postgresql); fi
if ! has_mariadb; then names+=(MariaDB) packages+=(mariadb-server-core mariadb-client-core); fi
if [[ ${#packages[@]} -eq 0 ]]; then exit 0; fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo -n); fi
if ! type -P apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "install: the servers of ${names[*]} are missing, and only apt as root can install them here: install them," \
        "or use the containers of demo/compose.yml" >&2
    exit 1
fi
echo "install: ${names[*]} missing; installing with apt" >&2
# We bring our own servers: a package shall not make one and start it at every boot.
drop_in=/etc/postgresql-common/createcluster.d/watershed-demo.conf
trap '"${as_root[@]}" rm -f "$drop_in"' EXIT
"${as_root[@]}" mkdir -p "${drop_in%/*}"
"${as_root[@]}" tee "$drop_in" >/dev/null <<<'create_main_cluster = false'
"${as_root[@]}" apt-get update -qq >&2
# These packages of MariaDB's programs have no service; Ubuntu 22.04 has them under the name of their version only.
if ! apt-cache show mariadb-server-core &>/dev/null; then packages=("${packages[@]/%-core/-core-10.6}"); fi
# MariaDB's programs would replace those of a MySQL that is there: it stays, and apt says why it stopped.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends --no-remove "${packages[@]}" >&2 || {
    echo "install: apt did not install ${names[*]} (above it says why; a MySQL server on this machine excludes" \
        "MariaDB's): use the containers of demo/compose.yml" >&2
    exit 1
}
has_postgresql && has_mariadb
