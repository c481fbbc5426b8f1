# SPDX-License-Identifier: MIT
#
# census NAME: Xen's, xenstore's and the toolstack's books, for books.ts. It empties Xen's log.

census() {
    mkdir -p $OUT/said
    xl dmesg -c >/dev/null
    xl debug-keys egqu
    sleep 1
    xl dmesg >"$OUT/said/$1.xen"
    xl list >"$OUT/said/$1.domains"
    xenstore-ls -f / 2>/dev/null | cut -d' ' -f1 | sort >"$OUT/said/$1.store"
}

# books NAME: a census; what Xen's log said until then is kept.
books() {
    sleep 1
    xl dmesg >$OUT/xen-$1.txt
    census $1
}
