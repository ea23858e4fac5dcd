#!/usr/bin/env bash
# Installs the Debian packages that `make console-e2e` needs: a browser, and fonts that have Chinese. Does nothing where
# they are there already. Node.js is looked for and not installed: Debian's may be too old for the console's tools.
set -euo pipefail
node_oldest=20
packages=(chromium fonts-noto-cjk)
node=$(node --version 2>/dev/null || true)  # such as v20.20.2
node=${node#v} node=${node%%.*}
if ! command -v npm >/dev/null || [ "${node:-0}" -lt "$node_oldest" ]; then
  echo "console-deps: Node.js $node_oldest or newer, with npm, has to be installed by hand (here: node ${node:-missing})" >&2
  exit 1
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "console-deps: all of ${packages[*]} are installed"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "console-deps: ${missing[*]} are missing; run this as root, or install them by hand" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
