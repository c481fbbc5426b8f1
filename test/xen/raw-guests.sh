# SPDX-License-Identifier: MIT
#
# Guests that are test/guest-kernel on virtio-gpu, in the driver domain of trio.sh: for scripts that begin with it.

# labelled NAME...: their configurations.
labelled() {
    for guest in "$@"; do
        configure $guest 1
        echo 'seclabel="system_u:system_r:glovebox_guest_t"' >>$OUT/cfg/$guest.cfg
    done
}

# raw NAME: such a guest, with a picture of its own.
raw() {
    [ -f $LOGS/guest-$1.log ] && mv $LOGS/guest-$1.log $LOGS/guest-$1.$(date +%s).log # of the life before
    up $1 --driver-domain $DRIVER --module virtio-gpu --param blob=0 --param memory_bytes=8M
    ask setup-$1 $1 setup 60
    ask start-$1 $1 gpu_start 60
    ask picture-$1 $1 "gpu_picture 1 1024 768 3 0" 60
}

# gone NAME
gone() {
    gbctl destroy $1 >$OUT/destroy.txt 2>&1 || fail "gbctl destroy $1: $(cat $OUT/destroy.txt)"
}
