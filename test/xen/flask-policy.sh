# SPDX-License-Identifier: MIT
#
# The same short life under many policies (flask-policy.test.ts judges): all of ours, ours with one permission taken
# away, ours with none for the driver domain. A specification is written by hand, for gbctl would look at the policy
# first and not begin.

mkdir -p $OUT/said
TREE=data/glovebox

# settled: nobody is left but Dom0.
settled() {
    for domain in life glovebox-life; do
        xl domid $domain >/dev/null 2>&1 && xl destroy $domain >/dev/null 2>&1
    done
    wait_for 20 sh -c '[ $(xl list | wc -l) = 2 ]' || fail "domains are left: $(xl list | tail -n +3)"
}

# soon COMMAND...: within three seconds. To ask is dear in an emulated machine, and to wait is not.
soon() {
    tries=12
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        usleep 250000
    done
}

is_ready() {
    [ "$(xenstore-read /local/domain/$driver/$TREE/vgpu/$guest/$1/state)" = ready ]
}

# steps: one after the other, as far as they go; the last one that worked is in $reached.
steps() {
    reached=nothing
    gbctl start glovebox-life --kernel $ELF --timeout 10 || return
    reached=start
    gbctl load /lab/files/register-file.gbx --driver-domain glovebox-life --timeout 10 || return
    reached=loaded
    xl create -q -p $OUT/cfg/life.cfg || return
    xl mem-max life 21 || return
    driver=$(xl domid glovebox-life)
    guest=$(xl domid life)
    reached=guest
    xenstore-write /local/domain/$driver/$TREE/vgpu/$guest/0 "module=register-file guest=pvh"
    xenstore-write /local/domain/$driver/$TREE/vgpu/$guest/1 "module=bochs-display guest=pvh vram_bytes=4194304"
    soon is_ready 0 || return
    soon is_ready 1 || return
    reached=ready
    xl unpause life || return
    soon grep -q "^3 ok use" $LOGS/guest-life.log || return
    reached=used
    gbctl screenshot life 1 $OUT/life.png --timeout 10 || return
    reached=seen
}

# life NAME: under the policy of that name; what Xen refused goes to $OUT/said/NAME.xen.
life() {
    rm -f $LOGS/guest-life.log
    xl loadpolicy /lab/files/policy-$1 || fail "xl loadpolicy policy-$1"
    told check-$1 gbctl policy-check --json
    xl dmesg -c >/dev/null
    steps >$OUT/said/$1.steps 2>&1
    xl dmesg >$OUT/said/$1.xen
    echo "$1 $reached" >>$OUT/said/reached
    xl loadpolicy /lab/files/policy-whole || fail "xl loadpolicy policy-whole"
    settled
}

configure life 1 "setup;use 1 1;use 2 1"
echo 'seclabel="system_u:system_r:glovebox_guest_t"' >>$OUT/cfg/life.cfg
step "the whole policy"
life whole
for name in $POLICIES; do
    step "the policy without permission $name"
    life $name
done
step "none of the permissions, and nothing enforced"
xl setenforce 0 || fail "xl setenforce 0"
life none
xl setenforce 1 || fail "xl setenforce 1"
step "the whole policy again"
life whole-again
