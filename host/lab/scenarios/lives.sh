# SPDX-License-Identifier: MIT
#
# Lives and what they leave (lives.ts judges): $LIVES whole guests with a driver domain each, ending in three ways; then
# one guest to which a vGPU is attached $CYCLES times. Everything is counted before and after, the first of each
# kind left out: what a first use allocates for good is no leak.

clock() {
    cut -d' ' -f1 /proc/uptime
}

# life NUMBER: created, used, looked at, ended.
life() {
    configure life 1 "setup;use 1 $1;use 2 $1"
    before=$(clock)
    gbctl create $OUT/cfg/life.cfg --kernel $ELF --module register-file --module bochs-display --param vram_bytes=4M \
        >/dev/null 2>$OUT/said/life.err || fail "life $1: $(cat $OUT/said/life.err)"
    created=$(clock)
    await_guest life "^3 ok use" 20 $1 || fail "life $1: the guest did not use its devices"
    gbctl screenshot life 1 --crc --json >$OUT/said/crc-$1 2>&1 || fail "life $1: no CRC: $(cat $OUT/said/crc-$1)"
    used=$(clock)
    if [ $(($1 % 3)) = 0 ]; then
        tty=$(xenstore-read "/local/domain/$(xl domid life)/console/tty")
        echo end >"$tty"
        wait_for 20 sh -c '! xl domid life' || fail "life $1: the guest does not end"
    elif [ $(($1 % 3)) = 1 ]; then
        tty=$(xenstore-read "/local/domain/$(xl domid life)/console/tty")
        echo die >"$tty"
        wait_for 20 sh -c '! xl domid life' || fail "life $1: the guest does not die"
    fi
    gbctl destroy life >/dev/null 2>$OUT/said/life.err || fail "life $1, its end: $(cat $OUT/said/life.err)"
    echo "$before $created $used $(clock)" >>$OUT/said/lives
}

# A destroyed domain's last pages are freed a little later.
settled() {
    wait_for 20 sh -c '[ $(xl list | wc -l) = '"$1"' ]'
}

step "one life, then the books"
life 1
settled 2
census lives-before
step "$LIVES lives"
n=1
while [ $n -lt "$LIVES" ]; do
    n=$((n + 1))
    life $n
done
settled 2
sleep 1
census lives-after

step "one guest, $CYCLES times attached, used, detached"
configure cycler 1 "cycle $((CYCLES + 1))"
gbctl start glovebox-cycler --kernel $ELF >/dev/null || fail "no driver domain"
xl create -q $OUT/cfg/cycler.cfg || fail "no guest"
# cycle NUMBER
cycle() {
    size=""
    module=register-file
    [ $(($1 % 8)) = 0 ] && module=bochs-display && size="--param vram_bytes=4M"
    gbctl attach cycler --driver-domain glovebox-cycler --module $module $size >/dev/null 2>$OUT/said/cycle.err ||
        fail "cycle $1: $(cat $OUT/said/cycle.err)"
    await_guest cycler "^USED $1\$" 10 || fail "cycle $1: the guest did not use its device"
    gbctl detach cycler 0 2>$OUT/said/cycle.err || fail "cycle $1: $(cat $OUT/said/cycle.err)"
}
cycle 1
census cycles-before
told cycles-before-stat gbctl stat glovebox-cycler --json
begin=$(clock)
n=1
while [ $n -le "$CYCLES" ]; do
    n=$((n + 1))
    cycle $n
done
echo "$begin $(clock)" >$OUT/said/cycles
census cycles-after
told cycles-after-stat gbctl stat glovebox-cycler --json
xl destroy cycler
gbctl stop glovebox-cycler --force >/dev/null
settled 2
