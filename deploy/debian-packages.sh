#!/usr/bin/env bash
# debian-packages.sh NAME PACKAGE...: installs the Debian packages that are missing, and does nothing where none is. NAME
# begins each line that it says.
set -euo pipefail
name=$1
shift
missing=()
for package in "$@"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "$name: all of $* are installed"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "$name: ${missing[*]} are missing; run this as root, or install them by hand" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
