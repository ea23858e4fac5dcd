#!/usr/bin/env bash
# Installs the Debian packages that `make console-e2e` needs: a browser, the same one without a window, which is faster,
# and fonts that have Chinese. Does nothing where they are there already. Node.js is looked for and not installed: Debian's
# may be too old for the console's tools.
set -euo pipefail
node_oldest=20
node=$(node --version 2>/dev/null || true)  # such as v20.20.2
node=${node#v} node=${node%%.*}
if ! command -v npm >/dev/null || [ "${node:-0}" -lt "$node_oldest" ]; then
  echo "console-deps: Node.js $node_oldest or newer, with npm, has to be installed by hand (here: node ${node:-missing})" >&2
  exit 1
fi
exec "$(dirname "$0")/debian-packages.sh" console-deps chromium chromium-headless-shell fonts-noto-cjk
