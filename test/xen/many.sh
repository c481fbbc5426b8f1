# SPDX-License-Identifier: MIT
#
# Three Debian guests in one driver domain (trio.sh): what one does while another flushes without pause. It moves its
# cursor; outputs are unplugged, plugged in and resized; it is destroyed while it flushes itself. Between that, Debian's
# modetest. Figures are only collected here; many.test.ts judges.

# flushing NAME: without pause, from now on; flushed NAME ends it.
flushing() {
    order $1 "flush 0 100000000"
    obeyed $1 "KMS flushes 0"
}
flushed() {
    guest_say $1 stop
    obeyed $1 "KMS flushed 0" 120
}

# crcs WHEN SCREEN...: of what the driver domain shows.
crcs() {
    when=$1
    shift
    for screen in "$@"; do crc ${screen%-*} ${screen#*-} $when; done
}

# drawn OUTPUT MODE VARIANT: by right.
drawn() {
    order right "draw $1 $(echo $2 | tr x ' ') $3"
    obeyed right "KMS drawn $1 $2"
}

# plugged MODE|off STATE: into right's output 1, until its driver has heard of it.
plugged() {
    gbctl output right 0 1 $1 >$OUT/output.txt 2>&1 || fail "gbctl output $1: $(cat $OUT/output.txt)"
    tries=0
    until is_listed "$2"; do
        tries=$((tries + 1))
        [ $tries -lt 30 ] || fail "output 1 of right does not become '$2'"
        order right list
        obeyed right "KMS listed"
    done
}
is_listed() {
    guest_line right "^KMS output 1" | grep -q "^KMS output 1 $1"
}

# ids PATTERN: of what modetest listed. Its columns are separated by tabs.
ids() {
    tr -d '\r' <$LOGS/guest-right.log | grep -E "^[0-9]+[[:space:]]+[0-9]+[[:space:]]+$1" | cut -f1
}

# shows OUTPUT MODE: until the driver domain does. Linux transfers a picture before it shows it.
shows() {
    wait_for 120 sh -c "gbctl stat right --json | grep -q '\"scanout$1\":\"$2/XR24\"'" ||
        fail "output $1 of right does not become $2"
}

# pattern WHEN OPTIONS...: modetest's, on the outputs of $SHOWN, as pictures.
pattern() {
    when=$1
    shift
    order right "$*"
    for shown in $SHOWN; do shows ${shown%=*} ${shown#*=}; done
    for shown in $SHOWN; do
        gbctl screenshot right --scanout ${shown%=*} $OUT/$when-${shown%=*}.png >$OUT/screen.txt 2>&1 ||
            fail "$(cat $OUT/screen.txt)"
    done
    guest_say right ""
    obeyed right "MODETEST ended"
}

# gone NAME
gone() {
    gbctl destroy $1 >$OUT/destroy.txt 2>&1 || fail "gbctl destroy $1: $(cat $OUT/destroy.txt)"
    wait_gone $1 60
}

# served WHEN: the driver domain's own figures.
served() {
    gbctl stat --driver-domain $DRIVER --json >$OUT/driver-$1.json || fail "gbctl stat of the driver domain"
}

step "a guest comes and goes before all others"
create panel --module bochs-display
gone panel
mv $LOGS/guest-panel.log $LOGS/guest-first.log
served first # the first request leaves its nodes
books first
served before

step "guests: two on virtio-gpu, one without blobs and one with, one on bochs-display"
create_virtio left
create_virtio right 1
create_panel
xl list -Z >$OUT/labels.txt 2>&1

step "draw: a mode and a picture on each output"
order panel go
draw_pair left 0
draw_pair right 2
obeyed panel "DRAW done 1024x768" 120
crcs drawn left-0 left-1 right-0 right-1 panel-0
served drawn

step "cursor: left moves it on both outputs while right flushes"
flushing right
engine right cursor-begin weight=1
order left "cursor 0 10 20"
obeyed left "KMS cursor 0 10 20"
order left "cursor 0 300 200"
obeyed left "KMS cursor 0 300 200"
order left "cursor 1 7 8"
obeyed left "KMS cursor 1 7 8"
look left cursor
for output in 0 1; do
    gbctl screenshot left --scanout $output --crc --cursor --json >$OUT/cursor-$output.json || fail "gbctl --cursor"
done
crcs cursor left-0 left-1 right-0
engine right cursor-end weight=1
flushed right

step "outputs: right's are unplugged, plugged in and resized while left flushes"
flushing left
engine left plug-begin weight=1
plugged off disconnected
crcs unplugged left-0 right-0
plugged $PLUGGED "connected $PLUGGED"
drawn 1 $PLUGGED 5
crcs plugged left-0 right-1
plugged $RESIZED "connected $RESIZED"
drawn 1 $RESIZED 6
crcs resized right-1
engine left plug-end weight=1
flushed left
crcs flushed left-0 left-1 right-0

step "modetest: lists, shows its picture on one output, then on both"
order right end
obeyed right "MODETEST ready"
order right "-cp"
obeyed right "MODETEST ended"
set -- $(ids "connected") $(ids "\(")
[ $# = 4 ] || fail "modetest lists connectors and CRTCs $*, not two of each"
SHOWN="1=$RESIZED"
pattern single -s $2@$4:$RESIZED
SHOWN="0=$WIDE_0 1=$WIDE_1"
pattern wide -s $1@$3:$WIDE_0 -s $2@$4:$WIDE_1
crcs modetest left-0 left-1 panel-0
order right ""
obeyed right "KMS ready outputs=2"
draw_pair right 8
crcs again right-0 right-1

step "left is destroyed in the middle of a flood of flushes; the others go on"
flushing right
engine left living weight=1
flushing left
sleep 1
engine left dying weight=1
gone left
engine right survived weight=1
crcs died right-0 panel-0
order panel go # ends the first picture
obeyed panel "DRAW ready 1024x768"
order panel go
obeyed panel "DRAW done 1024x768" 120
engine right later weight=1
flushed right
crcs survived right-0 right-1 panel-0
served survived

step "all go"
gone right
gone panel
books end
served after
gbctl stop $DRIVER >$OUT/stop.txt 2>&1 || fail "gbctl stop: $(cat $OUT/stop.txt)"
