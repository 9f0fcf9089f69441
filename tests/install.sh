#!/usr/bin/env bash
# Installs what the tests need beside the demo's servers: a browser, on Debian and Ubuntu by apt.
set -euo pipefail

if type -P chromium >/dev/null; then exit 0; fi
as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo -n); fi
if ! type -P apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
    echo "install: the program chromium is missing, and only apt as root can install it here: install it" >&2
    exit 1
fi
echo "install: chromium is missing; installing it with apt" >&2
"${as_root[@]}" apt-get update -qq >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y \
    --no-install-recommends chromium >&2
