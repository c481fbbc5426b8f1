# SPDX-License-Identifier: MIT
#
# Two guests flood the copy engine, a third works by the clock (raw-guests.sh): what each gets of it by weights, after a
# change, under a cap, in windows, by priorities, with a deadline. All share one pCPU with Dom0, which sleeps while
# something is measured. Whoever waits for a deadline there needs a processor in time as well as the engine: cluster and
# the driver domain get their weight from Xen, too. shares.test.ts judges.

FLOOD_MS=120000

# both WHEN: what the scheduler says of the two, each with its own time.
both() {
    engine left $1 exec-quantum-us=$QUANTUM_LEFT
    engine right $1 exec-quantum-us=$QUANTUM_RIGHT
}

# meter NAME SECONDS
meter() {
    sleep 0.2
    both $1-begin
    sleep $2
    both $1-end
}

policy() {
    gbctl policy $1 --driver-domain $DRIVER >$OUT/policy-$1.txt 2>&1 ||
        fail "gbctl policy $1: $(cat $OUT/policy-$1.txt)"
}

step "three guests, two of them flood"
labelled left right cluster
for guest in left right cluster; do raw $guest; done
for guest in $DRIVER cluster; do xl sched-credit2 -d $guest -w 2048 || fail "Xen's weight of $guest"; done
send cluster "pause 500"
send cluster "gpu_pace 100 5000 128 0"
sleep 1.5
await pace-alone cluster 60
QUANTUM_LEFT=2000
QUANTUM_RIGHT=2000
for guest in left right; do
    send $guest "gpu_flood $FLOOD_MS 8"
    await_guest $guest "^GPU floods" 30
done

step "weights 8 and 4"
engine left weights weight=8
engine right weights weight=4
meter weights 2

step "left goes from 8 to 2"
engine left changed-begin weight=2
engine right changed-begin weight=4
sleep 1
both changed-end

step "a cap of 30 % for left"
engine left capped weight=1 cap=30
engine right capped weight=1
meter cap 2
engine left uncapped cap=100

step "priorities"
QUANTUM_LEFT=500
QUANTUM_RIGHT=500
engine left priority priority=high
engine right priority priority=low
meter priority 4
engine left priority priority=normal
engine right priority priority=normal

step "a guest that only computes"
for guest in $DRIVER cluster; do xl sched-credit2 -d $guest -w 256; done
for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do send cluster "crc 0xa00000 0x400000"; done
meter compute 1
await computed cluster 60
for guest in $DRIVER cluster; do xl sched-credit2 -d $guest -w 2048; done

# Long ones, and two hundred frames (48 + 16 + 2 ms of cluster, which wants nothing): what a window loses at its ends (a
# picture that is done, the next one not yet asked for) is some 0.2 ms, and a reading may fall anywhere in a frame.
step "windows of 48 and 16 ms"
QUANTUM_LEFT=48000
QUANTUM_RIGHT=16000
policy fixed-share
meter fixed 13.2

step "1000 deadlines while both flood"
QUANTUM_LEFT=2000
QUANTUM_RIGHT=2000
policy deadline
engine cluster promised period-us=5000 runtime-us=2000
both deadline-begin
send cluster "pause 500" # until Dom0 sleeps
send cluster "gpu_pace 1000 5000 128 0"
sleep 7
await pace cluster 120
both deadline-end
engine cluster paced weight=1
for guest in left right cluster; do look $guest end; done

step "all go"
for guest in left right cluster; do gone $guest; done
gbctl stop $DRIVER >$OUT/stop.txt 2>&1
