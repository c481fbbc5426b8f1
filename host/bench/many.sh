# SPDX-License-Identifier: MIT
#
# What a trap costs when one driver domain serves 1, 8, 32 and as many vGPUs as it can, one guest kernel for each
# eight, FLASK enforcing. Measured in the first guest and in the last, at the first slot and at the last: one run of the
# machine under -icount. Nobody else does anything meanwhile.

DRIVER=glovebox-many
COUNT=1000
PER_GUEST=8

# guest NUMBER VGPUS: made and wired.
guest() {
    configure g$1 1
    echo "seclabel=\"$GUEST_LABEL\"" >>$OUT/cfg/g$1.cfg
    modules=
    for n in $(seq $2); do modules="$modules --module register-file"; done
    up g$1 --driver-domain $DRIVER $modules
}

# attach NUMBER VGPUS: so many more.
attach() {
    modules=
    for n in $(seq $2); do modules="$modules --module register-file"; done
    gbctl attach g$1 --driver-domain $DRIVER $modules >$OUT/attach.txt 2>&1 ||
        fail "attach: $(tail -n 1 $OUT/attach.txt)"
}

# value LABEL GUEST COMMAND [SECONDS]: as ask, and what it answered in $value.
value() {
    ask "$@"
    value=${answer##* }
    case $answer in *" ok "*) ;; *) fail "$1: guest $2 answered: $answer" ;; esac
}

# measure LABEL GUEST SLOT: all kinds of access to that slot's second register.
measure() {
    value $1-memory $2 "bar $3 0"
    memory=$((value + 4))
    value $1-port $2 "bar $3 1"
    port=$((value + 4))
    value $1-clock $2 "time 0 0 $COUNT" 60
    value $1-mmio_read $2 "time 1 $memory $COUNT" 60
    value $1-mmio_write $2 "time 2 $memory $COUNT" 60
    value $1-port_in $2 "time 3 $port $COUNT" 60
    value $1-port_out $2 "time 4 $port $COUNT" 60
}

# figures NAME: of the whole domain.
figures() {
    gbctl stat --driver-domain $DRIVER --json >$OUT/said/figures-$1.out || fail "gbctl stat $1"
}

step "driver domain"
gbctl start $DRIVER --kernel $ELF >$OUT/start.txt 2>&1 ||
    fail "$(tail -n 1 $OUT/start.txt)"
step "1 vGPU"
guest 1 1
value setup-1 g1 setup
measure 1-first g1 1
figures 1
step "8 vGPUs"
attach 1 $((PER_GUEST - 1))
value setup-8 g1 setup
measure 8-first g1 1
measure 8-last g1 $PER_GUEST
figures 8
last=1
for vgpus in 32 $MOST; do
    step "$vgpus vGPUs"
    while [ $((last * PER_GUEST)) -lt $vgpus ]; do
        last=$((last + 1))
        guest $last $PER_GUEST
        value setup-$vgpus-$last g$last setup
    done
    measure $vgpus-first g1 1
    measure $vgpus-last g$last $PER_GUEST
    figures $vgpus
done
step "one more than fits"
configure more 1
echo "seclabel=\"$GUEST_LABEL\"" >>$OUT/cfg/more.cfg
told more gbctl create $OUT/cfg/more.cfg --driver-domain $DRIVER --module register-file
step "idle"
figures before-look
figures before-idle
sleep 10
figures after-idle
gbctl list >$OUT/list.txt 2>&1
xl dmesg | grep 'avc:' >$OUT/said/denied
step "done"
