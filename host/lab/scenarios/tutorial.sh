# SPDX-License-Identifier: MIT
#
# What `glovebox image` made, on real Xen: its configuration as xl takes it, then one guest with a device of each of
# its modules. The figures are only collected here; tutorial.ts judges them.

GUEST=tutorial
DRIVER=glovebox-$GUEST

step "driver domain: xl takes the sample configuration"
cd /lab/files || fail "no files"
xl create -n glovebox.cfg >$OUT/xl-dry-run.txt 2>&1 || fail "xl create -n: $(tail -n 1 $OUT/xl-dry-run.txt)"
xl create -q glovebox.cfg >$OUT/xl-create.txt 2>&1 || fail "xl create glovebox.cfg: $(tail -n 1 $OUT/xl-create.txt)"
data=/local/domain/$(xl domid glovebox)/data/glovebox
wait_for 30 sh -c "[ \"\$(xenstore-read $data/state)\" = ready ]" || {
    tail -n 15 $LOGS/guest-glovebox.log
    fail "the driver domain of glovebox.cfg is not ready after 30 s"
}
gbctl modules --json >$OUT/modules.json 2>&1 || fail "gbctl modules: $(tail -n 1 $OUT/modules.json)"
xenstore-ls $data/refused >$OUT/refused.txt 2>/dev/null
wanted=""
for slot in $(xenstore-list $data/module | sort -n); do
    title=$(xenstore-read $data/module/$slot | sed 's/^name=\([^ ]*\) version=\([^ ]*\) .*/\1@\2/')
    echo "$title" >>$OUT/titles.txt
    wanted="$wanted --module $title"
done
[ -n "$wanted" ] || fail "no module was loaded: $(cat $OUT/refused.txt)"
xl destroy glovebox
wait_gone glovebox 20

step "guest: a device of each module"
gbctl create /lab/guests/$GUEST.cfg --kernel /lab/files/glovebox.elf $wanted --json >$OUT/create.json \
    2>$OUT/create.txt || {
    tail -n 15 $LOGS/guest-$DRIVER.log
    fail "gbctl create: $(tail -n 1 $OUT/create.txt)"
}
step "guest: looks for its devices"
wait_guest $GUEST "TUTORIAL done" 120
n=0
for title in $(cat $OUT/titles.txt); do
    gbctl stat $GUEST $n --json >$OUT/stat-$n.json || fail "gbctl stat $GUEST $n"
    n=$((n + 1))
done
if [ ! -f /lab/keep ]; then
    guest_say $GUEST end
    wait_guest $GUEST "GUEST end" 30
    gbctl destroy $GUEST >$OUT/destroy.txt 2>&1
fi
