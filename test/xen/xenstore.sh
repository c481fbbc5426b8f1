# SPDX-License-Identifier: MIT
#
# The control tree as nobody should use it (xenstore.test.ts judges): driver domain `glovebox-a` with guest a, whose
# vGPU 0 must work all the while. Specifications written by hand, nonsense, storms.

configure a 1
up a --module register-file
ask setup a setup
DD=$(xl domid glovebox-a)
GUEST=$(xl domid a)
TREE=/local/domain/$DD/data/glovebox
VGPU=$TREE/vgpu/$GUEST
SPEC="module=register-file guest=pvh"
told stat-before gbctl stat glovebox-a --json
told vgpu-before gbctl stat a --json

# alive LABEL
alive() {
    ask "alive-$1" a "use 1 $((turn = turn + 1))"
    told "alive-$1" gbctl stat a --json
}

# state LABEL PATH: what the domain says of the vGPU, once it says something.
state() {
    tries=100
    until xenstore-exists "$2/state" 2>/dev/null || [ $tries = 0 ]; do
        usleep 30000
        tries=$((tries - 1))
    done
    printf '%s\t%s: %s\n' "$1" "$(xenstore-read "$2/state" 2>/dev/null)" "$(xenstore-read "$2/error" 2>/dev/null)" \
        >>$OUT/said/answers
}

# gone NUMBER: removed, and the domain has let go
gone() {
    xenstore-rm "$VGPU/$1" 2>/dev/null
    wait_for 10 sh -c "gbctl stat a $1 2>&1 | grep -q 'no such vGPU'" || fail "vgpu $1 stays"
}

step "specifications that vanish and change"
for n in 1 2 3 4 5 6 7 8 9 10; do
    xenstore-write $VGPU/1 "$SPEC"
    xenstore-rm $VGPU/1
done
gone 1
alive vanish
for n in 1 2 3 4 5 6 7 8 9 10; do
    xenstore-write $VGPU/1 "$SPEC slot=$((n + 1))" $VGPU/1 "$SPEC slot=$((n + 11))" $VGPU/1 "$SPEC seed=$n"
done
state change $VGPU/1
gone 1
alive change

step "nonsense in them"
big=$(head -c 1500 /dev/zero | tr '\0' x)
huge=$(head -c 2900 /dev/zero | tr '\0' x)
xenstore-write $VGPU/1 "$big"
state big $VGPU/1
gone 1
xenstore-write $VGPU/1 "module=$big"
state big-module $VGPU/1
gone 1
# Above xenstored's quota of 2048 bytes for a domain's node nothing of the domain's can stand below it.
xenstore-write $VGPU/1 "$huge"
wait_for 10 xenstore-exists $TREE/error
printf 'huge\t%s\n' "$(xenstore-read $TREE/error)" >>$OUT/said/answers
gone 1
xenstore-write $VGPU/1 "$(printf 'module=\001\002\377\376 \033[2J guest=pvh')"
state binary $VGPU/1
gone 1
xenstore-write $VGPU/1 "$SPEC" 2>/dev/null
state folder-ready $VGPU/1
xenstore-write $VGPU/1/module/deep/er "register-file" $VGPU/1/guest "pvh" $VGPU/1/state/below "x"
alive folder
gone 1
xenstore-write $VGPU/1/module "register-file"
xenstore-write $VGPU/2/3/4/5/6 "$SPEC"
xenstore-write $TREE/vgpu/nobody/1 "$SPEC" $TREE/vgpu/-1/0 "$SPEC" $TREE/vgpu/99999999/0 "$SPEC" $TREE/vgpu/7 "$SPEC"
xenstore-write $VGPU/8 "$SPEC"
state number $VGPU/8
xenstore-write $TREE/vgpu/32000/0 "$SPEC"
state stranger $TREE/vgpu/32000/0
alive depth
xenstore-rm $VGPU/2 $VGPU/1 $VGPU/8 $TREE/vgpu/nobody $TREE/vgpu/-1 $TREE/vgpu/99999999 $TREE/vgpu/7 \
    $TREE/vgpu/32000

step "wrong hands on the domain's own nodes"
xenstore-rm $TREE/state $TREE/version $TREE/module $VGPU/0/state $VGPU/0/bdf
told own-stat gbctl stat a --json
ask own-use a "use 1 5"
xenstore-write $TREE/state ready $TREE/version 0.1.0
xenstore-write $VGPU/0 "$SPEC"
state own-again $VGPU/0
alive own

step "storms"
begin=$(cut -d' ' -f1 /proc/uptime)
n=0
while [ $n -lt 50 ]; do
    n=$((n + 1))
    set --
    i=0
    while [ $i -lt 20 ]; do
        i=$((i + 1))
        set -- "$@" $VGPU/1 "$SPEC seed=$((n * 20 + i))"
    done
    xenstore-write "$@"
done
echo "$begin $(cut -d' ' -f1 /proc/uptime)" >$OUT/said/storm
state storm $VGPU/1
alive storm
gone 1
n=0
while [ $n -lt 40 ]; do
    n=$((n + 1))
    set --
    i=0
    while [ $i -lt 25 ]; do
        i=$((i + 1))
        set -- "$@" $TREE/request "$((n * 25 + i)) stat $GUEST 0"
    done
    xenstore-write "$@"
done
alive requests

step "requests of nonsense"
number=5000
# request LABEL TEXT: the reply to it
request() {
    number=$((number + 1))
    xenstore-write $TREE/request "$number $2"
    tries=100
    until xenstore-read $TREE/reply 2>/dev/null | grep -q "^$number " || [ $tries = 0 ]; do
        usleep 30000
        tries=$((tries - 1))
    done
    printf '%s\t%s\n' "$1" "$(xenstore-read $TREE/reply)" >>$OUT/said/answers
}
request verb "dance 1 2"
request negative "stat -1 0"
request overflow "stat 99999999999999999999 0"
request crc-none "crc $GUEST 0 0"
request peer "read $GUEST 0 0 0 70000"
request long "$huge"
request binary-verb "$(printf '\001\377\033[2J')"
xenstore-write $TREE/request "$(printf 'no number')" $TREE/request "" $TREE/request "$huge"
xenstore-rm $TREE/request
xenstore-write $TREE/request/below "77 stat"
xenstore-rm $TREE/request
request fine "stat"
alive nonsense

step "the books"
told stat-after gbctl stat glovebox-a --json
told vgpu-after gbctl stat a --json
told list gbctl list --json
xenstore-ls -f $TREE >$OUT/said/tree
told destroy gbctl destroy a
xl list >$OUT/said/domains
