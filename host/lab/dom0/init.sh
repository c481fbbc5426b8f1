#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Dom0 from the root disk on: Xen's services, the scenario, the collecting of logs, power off. In this order, and
# the collecting happens however the scenario ended; "@@stop" on the console ends it early.

. /lab/lib.sh
mkdir -p $OUT /dev/pts /dev/shm /run/lock
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /run/lock /run/xen /run/xenstored
exec </dev/hvc0 >/dev/hvc0 2>&1
stty -echo
cd /

services() {
    step "Dom0 is up: Xen's services"
    for module in xen_evtchn xen_gntdev xen_gntalloc xen_privcmd xenfs xen_pciback; do
        modprobe $module || fail "Dom0 cannot insert the module $module"
    done
    mount -t xenfs xenfs /proc/xen || fail "Dom0 cannot mount xenfs: is this Xen?"
    xenstored || fail "xenstored does not start"
    wait_for 20 xenstore-exists / || fail "xenstored does not answer"
    xen-init-dom0 || fail "xen-init-dom0"
    xenconsoled --log=guest --log-dir=$LOGS || fail "xenconsoled does not start"
}

collect() {
    save /var/log/xen log
    xl list -v >$OUT/xl-list.txt 2>&1
    xl info >$OUT/xl-info.txt 2>&1
    xl dmesg >$OUT/xl-dmesg.txt 2>&1
    dmesg >$OUT/dom0-dmesg.txt 2>&1
    timeout 10 xenstore-ls -fp >$OUT/xenstore.txt 2>&1
    echo "$1" >$OUT/exit-code
    tar -cf /dev/vdc -C $OUT . || echo "@@gb fail the scenario's outputs do not fit on their disk"
    sync
    echo "@@gb saved"
}

# The scenario gets a session of its own so that @@stop can end all of it.
listen() {
    while read -r line; do
        case $line in
        *@@stop*) echo "stopping the scenario" && kill -TERM -"$1" && return ;;
        esac
    done
}

services
for overlay in /lab/guests/*.cpio; do
    [ -f "$overlay" ] && cat /boot/guest.img "$overlay" >"${overlay%.cpio}.img"
done
setsid sh -c '. /lab/lib.sh; cd /lab; . /lab/scenario.sh' </dev/null &
scenario=$!
listen $scenario </dev/hvc0 &
listener=$!
wait $scenario
code=$?
kill $listener 2>/dev/null
collect $code
echo "@@gb exit $code"
if [ -f /lab/keep ]; then
    stty sane
    echo "@@gb keep"
    echo "Dom0's console. Try: xl list; gbctl list; xl console demo. End with: exit"
    cd /lab
    setsid cttyhack sh
fi
poweroff -f
