# SPDX-License-Identifier: MIT
#
# Restart in place on a real Xen (restart.test.ts judges). The guest arms bugs in the panic image by writing a register
# (native/plant/answer.c) and then reads; Dom0 looks at what it got, at what the domain says, and at what Xen counts.

DD=glovebox-r
SEED="fffe:6762 0 read 0x18 4"
count=0
mkdir -p $OUT/stat

# ask NAME LINE...: one access of the guest's; its answer goes into $OUT/answers.
ask() {
    name=$1
    shift
    count=$((count + 1))
    guest_say r "regs $count $*"
    wait_guest r "ANSWER $count " 30
    echo "$name $(guest_line r "ANSWER $count " | sed 's/^ANSWER [0-9]* //')" >>$OUT/answers.txt
}

# state NAME: what the device holds, after the panic of that name.
state() {
    ask $1-seed $SEED
    ask $1-kept fffe:6762 0 read 0x20 4
    ask $1-line fffe:6762 config read 0x3c 1
    ask $1-id fffe:6762 config read 0 4
    ask $1-display 1234:1111 config read 0 4
}

stat() {
    gbctl stat --driver-domain $DD --json >$OUT/stat/$1.json 2>$OUT/stat/$1.err ||
        fail "gbctl stat: $(cat $OUT/stat/$1.err)"
}

# restarts N: until the domain has restarted so often.
restarts() {
    gbctl stat --driver-domain $DD --json | grep -q "\"restarts\":$1,"
}

# look NAME: what Xen, xenstore and xl count.
look() {
    sleep 1
    for key in e g q; do
        xl dmesg -c >/dev/null
        xl debug-keys $key
        sleep 1
        xl dmesg >$OUT/look-$1-$key.txt
    done
    xenstore-ls /local/domain/$(xl domid $DD) | wc -l >$OUT/look-$1-nodes.txt
    xl list $DD r | awk 'NR > 1 { print $1, $3 }' >$OUT/look-$1-memory.txt
}

step "a guest with two vGPUs"
gbctl create guests/r.cfg --kernel /lab/files/glovebox-panic.elf --module register-file --param seed=77 \
    --module bochs-display --json >$OUT/create.json 2>$OUT/create.err || fail "gbctl create: $(cat $OUT/create.err)"
echo "$(xl domid $DD) $(xl domid r)" >$OUT/domids.txt
wait_guest r "DRAW ready 1024x768" 90
guest_say r go
wait_guest r "DRAW done 1024x768" 30
gbctl screenshot r 1 --crc --json >$OUT/crc-before.json || fail "screenshot before"
ask write fffe:6762 0 write 0x20 4 0x12345678
ask write fffe:6762 config write 0x3c 1 9
state before
stat before

step "one panic of each kind, each while a request is pending"
for kind in 0 1 2 3; do
    ask arm fffe:6762 0 write 0x24 4 0xdead${kind}001
    ask kind$kind-pending $SEED
    state kind$kind
    stat kind$kind
done
xenstore-read /local/domain/$(xl domid $DD)/data/glovebox/error >$OUT/error.txt

step "a hundred restarts in a row"
look before
guest_say r loop
for kind in 0 2; do
    ask arm fffe:6762 0 write 0x24 4 0xdead${kind}032
    wait_for 60 restarts $((54 + 25 * kind)) || {
        stat hundred
        fail "not 50 restarts of kind $kind: $(cat $OUT/stat/hundred.json)"
    }
done
guest_say r stop
wait_guest r "LOOP end" 30
state hundred
stat hundred
look after
gbctl screenshot r 1 --crc --json >$OUT/crc-after.json || fail "screenshot after"

step "two panics in a window"
ask arm fffe:6762 0 write 0x24 4 0xdeada002
guest_say r "burst 3"
wait_guest r "BURST end 3" 30
ask lost-seed $SEED
ask lost-id fffe:6762 config read 0 4
stat lost
gbctl list --json >$OUT/list-lost.json
for n in 0 1; do
    xenstore-read /local/domain/$(xl domid $DD)/data/glovebox/vgpu/$(xl domid r)/$n/error >$OUT/lost-$n.txt
done
step "detach and attach after that"
gbctl detach r 0 >$OUT/detach.txt 2>&1 || fail "detach: $(cat $OUT/detach.txt)"
gbctl attach r --module register-file --param seed=78 --slot 1 >$OUT/attach.txt 2>&1 ||
    fail "attach: $(cat $OUT/attach.txt)"
guest_say r rescan
wait_guest r "RESCAN done" 30
ask again-id fffe:6762 config read 0 4
ask again-seed $SEED
stat again

step "three panics in a window"
ask arm fffe:6762 0 write 0x24 4 0xdeada003
guest_say r "burst 4"
wait_guest r "BURST end 4" 30
ask ended-id fffe:6762 config read 0 4
wait_for 20 sh -c "! xl list $DD | grep -q -- '---- '"
xl list >$OUT/list-ended.txt
guest_say r end
wait_guest r "GUEST end" 30
