# SPDX-License-Identifier: MIT
#
# Three guests on virtio-gpu in one driver domain (raw-guests.sh): one paces commands, one paces plain reads, and both
# say how long theirs took, while the third is orderly or wrong in one way after the other. neighbours.test.ts judges.

PACE_TIMES=600
PACE_US=1000
SPREAD_US=3000 # some turns of the third one: they come at any time of it
READ_TIMES=1500
READ_PAUSE_US=800
STATUS=0x14    # a register of virtio's, in BAR 0
MISDEED=0x14   # of test/modules/hostile-runtime, in BAR 0
ENDLESS_LOOP=1 # its number there
DEEP=128       # all that fits into a ring
ORDERLY=2      # pictures under way: the engine need not wait for the next one

labelled near reader wrong bystander

# last NAME WORD: the last line of its log that begins with it.
last() {
    grep -E "^$2 " $LOGS/guest-$1.log | tail -n 1 | tr -d '\r'
}

# kept LABEL TEXT: among the answers.
kept() {
    printf '%s\t%s\n' "$1" "$2" >>$OUT/said/answers
}

# bar NAME SLOT: where the guest sees its BAR 0.
bar() {
    ask bar-$1-$2 $1 "bar $2 0"
    bar=$(echo "$answer" | sed 's/.* //')
}

# beside LABEL COMMAND...: the neighbours are measured, while in Dom0 the command runs, which may take a while. Then
# Dom0 keeps still: what it does takes time from all.
beside() {
    label=$1
    shift
    send near "gpu_pace $PACE_TIMES $PACE_US 16 $SPREAD_US"
    send reader "time 1 $status $READ_TIMES $READ_PAUSE_US"
    "$@"
    sleep 1.5
    await paced-$label near 60
    await read-$label reader 60
    kept commands-$label "$(last near PACE)"
    kept reads-$label "$(last reader TIMES)"
    told list-$label gbctl list --json
}

# look WHEN: the third one's figures.
look() {
    gbctl stat wrong 0 --json >$OUT/stat-$1.json || fail "gbctl stat wrong, $1"
}

# domain WHEN: those of the driver domain.
domain() {
    gbctl stat --driver-domain $DRIVER --json >$OUT/domain-$1.json || fail "gbctl stat of $DRIVER, $1"
}

# third: virtio-gpu first, then two devices whose module does wrong when it is asked to. Its turn on the engine is a
# third of what its picture takes, so that it has whole turns whatever it does.
third() {
    [ -f $LOGS/guest-wrong.log ] && mv $LOGS/guest-wrong.log $LOGS/guest-wrong.$(date +%s).log
    up wrong --driver-domain $DRIVER --module virtio-gpu --param blob=0 --param memory_bytes=8M \
        --module hostile-runtime --module hostile-runtime
    engine wrong third exec-quantum-us=500
    ask setup-wrong wrong setup 60
    again
}

# again: its driver begins anew, with a picture.
again() {
    ask start-wrong wrong gpu_start 60
    ask picture-wrong wrong "gpu_picture 1 1280 800 3 0" 60
}

# does COMMAND: the third one, from just before the neighbours are measured.
does() {
    send wrong "$1"
    usleep 100000
}

# hangs: one module after the other.
hangs() {
    for bar in $bars; do
        usleep 200000
        send wrong "write $((bar + MISDEED)) 4 $ENDLESS_LOOP"
    done
}

# destroyed NAME: while the others are measured.
destroyed() {
    usleep 300000
    gbctl destroy $1 >$OUT/said/destroy.out 2>&1 || fail "gbctl destroy $1: $(cat $OUT/said/destroy.out)"
}

step "three guests"
raw near
raw reader
for guest in $DRIVER near reader; do xl sched-credit2 -d $guest -w 2048 || fail "Xen's weight of $guest"; done
third
bar reader 1
status=$((bar + STATUS))

step "nobody wants anything"
sleep 0.5
domain before
domain idle-begin
sleep 5
domain idle-end

step "a batch of commands into a quiet ring"
look batch-begin
engine wrong batch-begin weight=1
ask batch wrong "gpu_flood 1 8"
look batch-end
engine wrong batch-end weight=1

step "alone"
beside alone true

step "beside one that draws"
does "gpu_flood 1700 $ORDERLY"
beside orderly true
await orderly-done wrong 30

step "beside one that floods"
look flood-begin
does "gpu_flood 1700 $DEEP"
beside flood true
await flood-done wrong 30
look flood-end

step "beside one that asks for the longest workloads there are"
ask longest wrong "gpu_shreds 5" 30
does "gpu_flood 1700 4"
beside longest true
await longest-done wrong 30

step "beside one that floods with what cannot be done"
ask start-refused wrong gpu_start 60 # it has no picture any more
does "gpu_flood 1700 $DEEP"
beside refused true
await refused-done wrong 30

step "beside one whose modules hang"
bars=
for slot in 2 3; do
    bar wrong $slot
    bars="$bars $bar"
done
beside hang hangs

step "beside one that rings without pause"
told thresholds gbctl threshold doorbell_storms=20:quarantine storm_ms=30 refused=50:quarantine --json
does "gpu_bells 1700"
beside bells true
await bells-done wrong 30
told reset-bells gbctl reset wrong 0
told release-bells gbctl release wrong

step "beside one that talks nonsense"
does "gpu_nonsense 1 300"
beside nonsense true
await nonsense-done wrong 60
told release-nonsense gbctl release wrong

step "beside one that draws, while one at rest is destroyed"
up bystander --driver-domain $DRIVER --module hostile-runtime # as many pieces of buffers as three are left
again
does "gpu_flood 1700 $ORDERLY"
beside rest destroyed bystander
await rest-done wrong 30
wait_gone bystander 20

step "beside one that is destroyed in the middle of a transfer"
does "gpu_flood 60000 $DEEP"
beside midst destroyed wrong
wait_gone wrong 20
domain end
