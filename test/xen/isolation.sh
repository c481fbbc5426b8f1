# SPDX-License-Identifier: MIT
#
# Four guests on virtio-gpu in one driver domain (raw-guests.sh): two try everybody's ids and addresses; one dies in
# the middle of a flood while another floods on; all go; one comes again and again, and dies in the middle of a
# transfer. isolation.test.ts judges.

labelled busy victim tester other
sed -i 's/^memory=16$/memory=96/' $OUT/cfg/busy.cfg # so that it has memory where the others have none

# crcs WHEN NAME...: of what the driver domain shows.
crcs() {
    when=$1
    shift
    for guest in "$@"; do crc $guest 0 $when; done
}

# died NAME: in the middle of what it does. What it left is the toolstack's to clear, which the next gbctl does.
died() {
    xl destroy $1 || fail "xl destroy $1"
    wait_gone $1 20
    gbctl destroy $1 >$OUT/died.txt 2>&1
}

# served COUNT: until the driver domain has no more guests than that.
served() {
    wait_for 20 sh -c "gbctl stat --driver-domain $DRIVER --json | grep -q '\"guests\":$1,'" ||
        fail "the driver domain does not come down to $1 guests"
}

step "a guest comes and goes before all others"
raw tester
gone tester
wait_gone tester 20
gbctl stat --driver-domain $DRIVER --json >$OUT/first.json # the first request leaves its nodes
books first

step "four guests, one picture each"
for guest in busy victim tester other; do raw $guest; done
ask shown-busy busy "gpu_picture 3 1024 768 10 0" 30
ask shown-victim victim "gpu_picture 2 1024 768 4 0" 30
ask shown-tester tester "gpu_picture 77 640 480 5 0" 30
ask shown-other other "gpu_picture 99 640 480 6 0" 30
crcs quiet busy victim tester other
ask memory-other other "crc 0xa00000 0x12c000" 30

# Commands as virtio 1.2, 5.7.6.8 has them: type, context, words of the body. Resources: victim 1 and 2, tester 1 and
# 77, other 1 and 99.
step "each tries the others' resources"
for name in tester-2 tester-99 other-2 other-77; do
    guest=${name%-*}
    id=${name#*-}
    ask flush-$name $guest "gpu_raw 0x104 0 0 0 64 64 $id 0"
    ask transfer-$name $guest "gpu_raw 0x105 0 0 0 64 64 0 0 $id 0"
    ask scanout-$name $guest "gpu_raw 0x103 0 0 0 64 64 0 $id"
    ask attach-$name $guest "gpu_raw 0x106 0 $id 1 0x800000 0 0x1000 0"
    ask detach-$name $guest "gpu_raw 0x107 0 $id 0"
    ask unref-$name $guest "gpu_raw 0x102 0 $id 0"
done

step "contexts, outputs and addresses of others"
ask context-create tester "gpu_raw 0x200 1 0 0"
ask context-attach tester "gpu_raw 0x202 1 1 0"
ask context-submit tester "gpu_raw 0x207 1 8 0"
ask context-other tester "gpu_raw 0x105 1 0 0 64 64 0 0 99 0"
ask output-other tester "gpu_raw 0x103 0 0 0 64 64 1 77"
ask address-make tester "gpu_raw 0x101 0 88 2 64 64"
# 80 MiB: memory in busy, and nothing in a guest of 16 MiB; the same for rings.
ask address-attach tester "gpu_raw 0x106 0 88 1 0x5000000 0 0x4000 0"
ask address-transfer tester "gpu_raw 0x105 0 0 0 64 64 0 0 88 0"
ask address-rings tester "gpu_rings 0x5000000 0x5010000 0x5020000"
look tester tried
ask restart tester gpu_start
ask picture-again tester "gpu_picture 77 640 480 7 0" 30
crcs tried busy victim tester other
ask memory-other-after other "crc 0xa00000 0x12c000" 30

step "other gives a page of its picture back to Xen and gets a new one"
look other kept
ask give other "give 0xa00000 1"
ask take other "take 0xa00000 1"
ask mark other "write 0xa00000 4 0x563412"
ask transfer-new other "gpu_raw 0x105 0 0 0 640 480 0 0 99 0" 30
ask flush-new other "gpu_raw 0x104 0 0 0 640 480 99 0" 30
ask memory-new other "crc 0xa00000 0x12c000" 30
look other new
crcs new other

step "victim dies in the middle of a flood; busy floods on, other draws"
send busy "gpu_flood 6000 16"
await_guest busy "^GPU floods" 30
send victim "gpu_flood 60000 16"
await_guest victim "^GPU floods" 30
sleep 0.5
died victim
served 3
engine busy survived weight=1
sleep 0.5
engine busy later weight=1
ask picture-survived other "gpu_picture 98 320 200 8 0" 30
await flood-busy busy 60
crcs survived busy tester other

step "all go"
for guest in busy tester other; do gone $guest; done
for guest in busy tester other; do wait_gone $guest 20; done
books all-gone
gbctl stat --driver-domain $DRIVER --json >$OUT/idle-before.json

step "three guests, each destroyed in the middle of a transfer"
for turn in 1 2 3; do
    raw tester
    send tester "gpu_flood 20000 64"
    await_guest tester "^GPU floods" 15
    usleep 300000
    died tester
    served 0
done
books end
gbctl stat --driver-domain $DRIVER --json >$OUT/idle-after.json
gbctl stop $DRIVER >$OUT/stop.txt 2>&1
