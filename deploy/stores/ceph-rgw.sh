#!/bin/bash
# A second real S3 store for tests: Ceph's RADOS Gateway from Debian, on one machine, without systemd, loopback only.
#
#   apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common uuid-runtime
#   ceph-rgw.sh start DIR [bluestore|memstore] [PORT]      about 25 s the first time; returns when S3 answers
#   ceph-rgw.sh stop DIR
#
# PORT (8480) is where S3 listens; the two ports after it are the monitor's. State stays in DIR and survives a restart
# with bluestore; memstore keeps objects in memory, so that DIR is good for one start.
#
# Keys: AKMAIN/SKMAIN (may create roles), AKOTHER/SKOTHER. Storage classes STANDARD and STANDARD_IA. STS is on.
# What this store does not do is in docs/store-options.md. Never set `rgw crypt default encryption key` here: every
# CopyObject is then answered with 501.
set -euo pipefail

say() { printf 'ceph-rgw.sh: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
usage="usage: ceph-rgw.sh start DIR [bluestore|memstore] [PORT], or ceph-rgw.sh stop DIR"

[ $# -ge 2 ] || fail "$usage"
command=$1

stop_all() { # the gateway first, the monitor last: each by the pid that it was started with
  local name pid
  for name in rgw osd mon; do
    [ -f "$D/$name.pid" ] || continue
    pid=$(cat "$D/$name.pid")
    if [ -r "/proc/$pid/cmdline" ] && grep -qz -- "-f" "/proc/$pid/cmdline" && grep -q "ceph\|radosgw" "/proc/$pid/comm"; then
      kill "$pid" 2>/dev/null || true
      for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep .1; done
      if kill -0 "$pid" 2>/dev/null; then say "$name does not stop within 10 s: killing it"; kill -9 "$pid" || true; fi
    fi
    rm -f "$D/$name.pid"
  done
}

if [ "$command" = stop ]; then
  [ -d "$2" ] || exit 0
  D=$(cd "$2" && pwd)
  stop_all
  exit 0
fi

[ "$command" = start ] && [ $# -le 4 ] || fail "$usage"
store=${3:-bluestore} port=${4:-8480}
[ "$store" = bluestore ] || [ "$store" = memstore ] || fail "the kind of store is '$store'; write bluestore or memstore"
[[ $port =~ ^[0-9]+$ ]] && [ "$port" -ge 1024 ] && [ "$port" -le 65533 ] \
  || fail "PORT is '$port'; it must be a number from 1024 to 65533, because the two ports after it are used as well"
for program in radosgw radosgw-admin ceph ceph-mon ceph-osd ceph-authtool monmaptool uuidgen curl; do
  command -v "$program" >/dev/null || fail "the program '$program' is missing; run
  apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common uuid-runtime curl"
done
mkdir -p "$2" || fail "cannot make the folder '$2'; give one that you may write to"
D=$(cd "$2" && pwd)
[ "${#D}" -le 80 ] || fail "the path $D is too long for the sockets in it (80 characters); give a shorter one"

for name in rgw osd mon; do
  if [ -f "$D/$name.pid" ] && kill -0 "$(cat "$D/$name.pid")" 2>/dev/null; then
    fail "it seems to run already ($D/$name.pid); stop it first: ceph-rgw.sh stop $D"
  fi
done
for offset in 0 1 2; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$((port + offset))") 2>/dev/null; then
    fail "port $((port + offset)) is in use; stop what listens there, or give a PORT with three free ports from it on"
  fi
done

is_new=1
if [ -e "$D/port" ]; then
  is_new=0
  [ "$(cat "$D/port")" = "$port" ] || fail "$D was made for port $(cat "$D/port"), not $port; give that one, or another folder"
elif [ -e "$D/ceph.conf" ]; then
  fail "$D holds a store whose first start did not end well; delete the folder and start again"
fi

export CEPH_CONF=$D/ceph.conf
monitor="[v2:127.0.0.1:$((port + 1)),v1:127.0.0.1:$((port + 2))]"

write_settings() {
  mkdir -p "$D/osd" "$D/run"
  cat > "$D/ceph.conf" <<C
[global]
fsid = 11111111-2222-4333-8444-555555555555
mon host = $monitor
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = $D/keyring
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon allow pool delete = true
mon data avail crit = 1
run dir = $D/run
log file = $D/\$name.log
admin socket = $D/run/\$name.asok
crash dir = $D/run
[mon]
mon data = $D/mon
[osd]
osd data = $D/osd
osd objectstore = $store
osd class dir = $(dirname "$(find /usr/lib -name libcls_rgw.so 2>/dev/null | head -1)")
bluestore block size = 10737418240
bluestore cache autotune = false
bluestore cache size = 268435456
memstore device bytes = 4294967296
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw data = $D/run
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=$(printf '%032d' 1 | base64)
rgw s3 auth use sts = true
rgw sts key = abcdefghijklmnop
rgw enable usage log = false
rgw thread pool size = 64
C
  local name daemon
  for name in mon. client.admin client.rgw osd.0; do
    printf '[%s]\n key = %s\n' "$name" "$(ceph-authtool --gen-print-key)"
    for daemon in mon osd mgr mds; do printf ' caps %s = "allow *"\n' "$daemon"; done
  done > "$D/keyring"
  chmod 600 "$D/keyring"
}

wait_for() { # what, log, seconds, command...: until the command succeeds
  local what=$1 log=$2 seconds=$3
  shift 3
  local deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what is not up after $seconds s; its last words (whole: $log):
$(tail -5 "$log" 2>/dev/null)"
    sleep .2
  done
}

osd_is_up() { ceph --connect-timeout 5 osd stat 2>/dev/null | grep -q '1 up'; }

create_users_and_classes() {
  admin() { radosgw-admin -n client.rgw "$@" >>"$D/admin.out" 2>&1 || fail "radosgw-admin $1 $2 failed; see $D/admin.out"; }
  admin user list # makes the default zonegroup and zone: the placement commands fail before that
  admin zonegroup placement add --rgw-zonegroup default --placement-id default-placement --storage-class STANDARD_IA
  admin zone placement add --rgw-zone default --placement-id default-placement --storage-class STANDARD_IA \
    --data-pool default.rgw.buckets.ia
  admin user create --uid=main --display-name=main --access-key=AKMAIN --secret-key=SKMAIN --caps='roles=*;user-policy=*'
  admin user create --uid=other --display-name=other --access-key=AKOTHER --secret-key=SKOTHER
}

trap 'code=$?; [ "$code" = 0 ] || stop_all; exit "$code"' EXIT
trap 'exit 130' INT TERM

if [ "$is_new" = 1 ]; then
  write_settings
  monmaptool --create --addv a "$monitor" --fsid 11111111-2222-4333-8444-555555555555 "$D/monmap" >/dev/null
  ceph-mon --mkfs -i a --mon-data "$D/mon" --monmap "$D/monmap" --keyring "$D/keyring" \
    --setuser root --setgroup root >"$D/mon.mkfs" 2>&1 || fail "the monitor's folder cannot be made; see $D/mon.mkfs"
fi
ceph-mon -f -i a --setuser root --setgroup root >"$D/mon.out" 2>&1 </dev/null & echo $! >"$D/mon.pid"
wait_for "the monitor" "$D/mon.a.log" 60 ceph --connect-timeout 5 osd stat
if [ "$is_new" = 1 ]; then
  osd_uuid=$(uuidgen)
  ceph osd new "$osd_uuid" >/dev/null
  ceph-osd -i 0 --mkfs --osd-uuid "$osd_uuid" --setuser root --setgroup root >"$D/osd.mkfs" 2>&1 \
    || fail "the disk file cannot be made (10 GiB, sparse); see $D/osd.mkfs"
  ceph osd crush add osd.0 1.0 root=default host=local >/dev/null 2>&1
fi
ceph-osd -f -i 0 --setuser root --setgroup root >"$D/osd.out" 2>&1 </dev/null & echo $! >"$D/osd.pid"
wait_for "the disk service" "$D/osd.0.log" 60 osd_is_up
[ "$is_new" = 0 ] || create_users_and_classes
radosgw -f -n client.rgw --setuser root --setgroup root >"$D/rgw.out" 2>&1 </dev/null & echo $! >"$D/rgw.pid"
wait_for "the gateway" "$D/client.rgw.log" 90 curl -s -o /dev/null "http://127.0.0.1:$port/"
echo "$port" >"$D/port"
