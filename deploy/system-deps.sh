#!/usr/bin/env bash
# Installs the Debian packages that `make test-system` and `make bench` need. Does nothing where they are there already.
set -euo pipefail
# The package of nginx makes a service of it that listens on every address. Here it is only a program that the benchmark
# starts, so the service is masked (systemctl unmask nginx makes it one), where there was none before.
unit=/etc/systemd/system/nginx.service
if [ "$(id -u)" -eq 0 ] && ! dpkg-query -W -f='${Status}' nginx 2>/dev/null | grep -q 'ok installed' && [ ! -e "$unit" ]; then
  mkdir -p "$(dirname "$unit")"
  ln -s /dev/null "$unit"
fi
exec "$(dirname "$0")/debian-packages.sh" system-deps \
  radosgw ceph-mon ceph-osd ceph-common uuid-runtime curl nginx wrk
