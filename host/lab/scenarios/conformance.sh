# SPDX-License-Identifier: MIT
#
# For conformance.ts: a scenario's steps on a real Xen. Answers go to $OUT/said/answers as LINE<tab>answer, in the words
# of the simulator (host/sim/scenario/run.ts).

told_line() {
    printf '%s\t%s\n' "$1" "$2" >>$OUT/said/answers
}

# begin GUEST: the names of the steps below are about it.
begin() {
    GUEST=$(xl domid "$1")
    TREE=/local/domain/$(xl domid "glovebox-$1")/data/glovebox
    number=0
    told_line "$2" up
}

# quiet: nothing of the domain's changes any more.
quiet() {
    before=
    tries=40
    while [ $tries -gt 0 ]; do
        now=$(xenstore-ls "$TREE" 2>&1)
        [ "$now" = "$before" ] && return 0
        before=$now
        tries=$((tries - 1))
        usleep 150000
    done
}

# at LINE PATH: what stands there
at() {
    quiet
    told_line "$1" "$(xenstore-read "$TREE/$2" 2>/dev/null || echo none)"
}

put() {
    xenstore-write "$TREE/$2" "$3"
    quiet
    told_line "$1" done
}

drop() {
    if xenstore-rm "$TREE/$2" 2>/dev/null; then told_line "$1" done; else told_line "$1" "nothing there"; fi
    quiet
}

# request LINE WORDS
request() {
    number=$((number + 1))
    xenstore-write "$TREE/request" "$((number + 1000)) $2"
    tries=100
    until xenstore-read "$TREE/reply" 2>/dev/null | grep -q "^$((number + 1000)) " || [ $tries = 0 ]; do
        usleep 30000
        tries=$((tries - 1))
    done
    told_line "$1" "$(xenstore-read "$TREE/reply" | cut -d' ' -f2-)"
}

kill_guest() {
    xl destroy a
    usleep 300000
    told_line "$1" done
}
