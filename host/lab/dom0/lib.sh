# SPDX-License-Identifier: MIT
#
# What a scenario's script may use in Dom0. Lines that begin with @@gb are for the host: they stand on the console
# between everything else that is printed there.

export PATH=/usr/lib/xen-4.17/bin:/lab/files:/usr/sbin:/usr/bin:/sbin:/bin
LOGS=/var/log/xen/console
OUT=/lab/out

# step TEXT: what happens from now on.
step() {
    echo "@@gb step $*"
}

# fail WHY: ends the scenario as failed.
fail() {
    echo "@@gb fail $*"
    exit 1
}

# note KEY VALUE: a figure for the host's summary, while the scenario runs.
note() {
    echo "@@gb note $*"
}

# wait_for SECONDS COMMAND...: until the command succeeds. SECONDS are those of a host that does nothing else; $PATIENCE
# times as many may pass, because to be slow is no failure.
PATIENCE=4
wait_for() {
    read -r now _ </proc/uptime
    limit=$((${now%.*} + $1 * PATIENCE))
    shift
    until "$@" >/dev/null 2>&1; do
        read -r now _ </proc/uptime
        [ "${now%.*}" -lt $limit ] || return 1
        sleep 0.3
    done
}

# await_guest NAME PATTERN SECONDS [COUNT]: until so many lines of its log match, 1 when it is not said; the last of
# them is in $answer. Meanwhile nobody asks: a loop around grep would have a third of the emulated processor.
await_guest() {
    answer=$(await-line -n "${4:-1}" "$LOGS/guest-$1.log" "$2" $(($3 * PATIENCE))) && return 0
    answer=none
    return 1
}

# wait_guest NAME PATTERN SECONDS: until the guest has printed a line that matches; fails the scenario otherwise,
# and at once when the guest says that it failed.
wait_guest() {
    log=$LOGS/guest-$1.log
    await_guest "$1" "$2|$GUEST_FAILED" "$3"
    grep -q "$2" "$log" && return 0
    why=$(grep -E "$GUEST_FAILED" "$log" | tail -n 1 | tr -d '\r')
    echo "last lines of guest $1:"
    tail -n 15 "$log"
    fail "guest $1 did not print '$2' within $(($3 * PATIENCE)) s${why:+: $why}"
}
GUEST_FAILED='(GUEST|DRAW|KMS) failed|Kernel panic'

# guest_line NAME PATTERN: the last line of the guest's that matches.
guest_line() {
    grep "$2" "$LOGS/guest-$1.log" | tail -n 1 | tr -d '\r'
}

# guest_say NAME LINE: types a line on the guest's console.
guest_say() {
    tty=$(xenstore-read "/local/domain/$(xl domid "$1")/console/tty") || fail "guest $1 has no console"
    echo "$2" >"$tty"
}

# wait_gone NAME SECONDS: until the domain is no more.
wait_gone() {
    wait_for "$2" sh -c "! xl domid '$1'" || fail "domain $1 is still there after $(($2 * PATIENCE)) s"
}

# save FILE [AS]: into the scenario's outputs on the host.
save() {
    mkdir -p "$OUT"
    cp -r "$1" "$OUT/${2:-$(basename "$1")}"
}
