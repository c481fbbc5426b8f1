# SPDX-License-Identifier: MIT
#
# Every form of request, and four vCPUs at once (forms.test.ts judges); Dom0 reads the trace and the counters.

# look NAME: the figures of both devices.
look() {
    for vgpu in 0 1; do
        gbctl stat forms $vgpu --json >"$OUT/$1-$vgpu.json" || fail "gbctl stat forms $vgpu"
    done
}

step "the guest boots with two devices"
gbctl create /lab/guests/forms.cfg --kernel /lab/files/glovebox.elf --module register-file --slot 1 \
    --param seed=77 --module register-file --slot 2 --param seed=78 >$OUT/create.txt 2>&1 ||
    fail "gbctl create: $(tail -n 1 $OUT/create.txt)"
wait_guest forms "GUEST up" 120
step "every form of access"
wait_guest forms "FORMS end" 120
look forms
gbctl trace forms --json >$OUT/trace.json || fail "gbctl trace"
guest_say forms go
step "four vCPUs at once"
wait_guest forms "THREADS ready" 30
look before
guest_say forms go
wait_guest forms "THREADS done" 120
look after
guest_say forms go
wait_guest forms "GUEST end" 30
gbctl destroy forms >$OUT/destroy.txt 2>&1
