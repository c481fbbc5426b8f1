#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A guest's first program: mounts what programs expect, runs the scenario's script for this guest, switches off.

/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
[ -c /dev/hvc0 ] && exec </dev/hvc0 >/dev/hvc0 2>&1
stty -echo
export PATH=/bin:/lab

# Inserts one of the ramdisk's modules with all that it needs.
load() {
    for module in $(cat /lib/modules/order); do
        [ -d /sys/module/$module ] || insmod /lib/modules/$module.ko || return 1
        [ $module = "$1" ] && return 0
    done
    return 1
}

echo "GUEST up: Linux $(uname -r)"
if [ -f /lab/scenario.sh ]; then
    . /lab/scenario.sh
    echo "GUEST end: $?"
else
    setsid cttyhack sh
fi
poweroff -f
