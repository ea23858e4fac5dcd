#!/usr/bin/env bash
# Installs the Debian packages that `make test-system` needs. Does nothing where they are there already.
set -euo pipefail
packages=(radosgw ceph-mon ceph-osd ceph-common uuid-runtime curl)
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
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
