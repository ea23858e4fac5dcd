#!/usr/bin/env bash
# Installs the Debian packages that `make test-system` and `make bench` need. Does nothing where they are there already.
set -euo pipefail
packages=(radosgw ceph-mon ceph-osd ceph-common uuid-runtime curl nginx wrk)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "system-deps: all of ${packages[*]} are installed"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "system-deps: ${missing[*]} are missing; run this as root, or install them by hand" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# The package of nginx makes a service of it that listens on every address. Here it is only a program that the benchmark
# starts, so the service is masked (systemctl unmask nginx makes it one), where there was none before.
if [[ " ${missing[*]} " == *" nginx "* ]] && [ ! -e /etc/systemd/system/nginx.service ]; then
  mkdir -p /etc/systemd/system
  ln -s /dev/null /etc/systemd/system/nginx.service
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
