/* SPDX-License-Identifier: MIT */
/* The one helper of the compiler's own library that our processor baseline (no POPCNT) leads gcc to call. */
int __popcountdi2(long value);

int __popcountdi2(long value) {
    int count = 0;
    for (unsigned long left = (unsigned long)value; left; left &= left - 1)
        count++;
    return count;
}
