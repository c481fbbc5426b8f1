# SPDX-License-Identifier: MIT
#
# The soak (soak.ts judges): a guest does random accesses for $MS milliseconds of its own time while Dom0 reads figures
# and checksums. Before it a short life of the same guest, so that the books can be compared.

configure soaker 1
guest_up() {
    up soaker --module register-file --module bochs-display --param vram_bytes=4M
    ask "setup-$1" soaker setup
}

step "a first life, then the books"
guest_up first
ask short soaker "soak 1 200 0" 60
gbctl destroy soaker
sleep 1
xl list >$OUT/said/before.domains
xl dmesg -c >/dev/null
xl debug-keys egqu
sleep 1
xl dmesg >$OUT/said/before.xen
xenstore-ls -f / 2>/dev/null | cut -d' ' -f1 | sort >$OUT/said/before.store

step "soak: seed $SEED, $MS ms, pauses up to $((2 * IDLE_US)) us"
rm -f $LOGS/guest-soaker.log
guest_up second
send soaker "soak $SEED $MS $IDLE_US"
begin=$(cut -d. -f1 /proc/uptime)
rounds=0
until grep -qE "^$number (ok|failed)" $LOGS/guest-soaker.log; do
    xl domid soaker >/dev/null 2>&1 || fail "the guest has gone: $(tail -n 3 $LOGS/guest-soaker.log)"
    [ $(($(cut -d. -f1 /proc/uptime) - begin)) -lt $((MS / 1000 * 2 + 120)) ] || fail "the guest does not end"
    for n in 0 1; do
        gbctl stat soaker $n --json >>$OUT/said/stat-$n 2>>$OUT/said/wrong || echo "stat $n" >>$OUT/said/wrong
    done
    gbctl stat glovebox-soaker --json >>$OUT/said/stat-domain 2>>$OUT/said/wrong || echo "stat" >>$OUT/said/wrong
    gbctl screenshot soaker 1 --crc --json >>$OUT/said/crc 2>>$OUT/said/crc-refused
    gbctl list --json >>$OUT/said/list 2>>$OUT/said/wrong || echo "list" >>$OUT/said/wrong
    rounds=$((rounds + 1))
    sleep $PERIOD
done
await soak soaker 5
echo $rounds >$OUT/said/rounds
step "the books again"
gbctl destroy soaker
sleep 1
xl list >$OUT/said/after.domains
xl dmesg -c >/dev/null
xl debug-keys egqu
sleep 1
xl dmesg >$OUT/said/after.xen
xenstore-ls -f / 2>/dev/null | cut -d' ' -f1 | sort >$OUT/said/after.store
