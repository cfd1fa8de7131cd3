// System calls that Swift's Glibc module leaves out: it sees the headers without GNU extensions.
#ifndef SYNOD_CLINUX_SHIM_H
#define SYNOD_CLINUX_SHIM_H

#include <errno.h>
#include <linux/futex.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/// Promises room in a file without changing its size (fallocate(2), FALLOC_FL_KEEP_SIZE).
static inline int linux_reserve(int descriptor, off_t offset, off_t count) {
    const int keep_size = 1;
    return (int)syscall(SYS_fallocate, descriptor, keep_size, offset, count);
}

/// A write that returns when the bytes are durable (pwritev2(2), RWF_DSYNC): one call, and one command to
/// the disk where a write followed by fdatasync(2) may need two.
static inline ssize_t linux_write_durably(int descriptor, const void *bytes, size_t count, off_t offset) {
    const int dsync = 2;
    struct iovec piece = {(void *)bytes, count};
    // The kernel takes the offset in two halves, of which a 64-bit machine uses the first.
    return syscall(SYS_pwritev2, descriptor, &piece, 1, offset, 0, dsync);
}

/// Sleeps while `*word` is `expected`, at most until `deadline` on CLOCK_MONOTONIC (futex(2),
/// FUTEX_WAIT_BITSET); for ever when that is null. Returns 0 or an errno.
static inline int linux_futex_wait(const uint32_t *word, uint32_t expected, const struct timespec *deadline) {
    const int operation = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
    long code = syscall(SYS_futex, word, operation, expected, deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    return code == 0 ? 0 : errno;
}

/// Wakes one thread that sleeps on `word`.
static inline void linux_futex_wake(const uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

/// What an operator can do about an error of a call on a file; empty where the error says it all.
static inline const char *linux_advice(int error) {
    switch (error) {
    case EACCES:
    case EPERM: return "; give it to the user that this program runs as";
    case EROFS: return "; mount it for writing";
    case ENOTDIR:
    case EEXIST: return "; something else stands where a directory belongs: move it away or name another directory";
    case EISDIR: return "; a directory stands where a file belongs: move it away, and put the file back if there was one";
    case EIO: return "; the disk failed: look into the kernel's log";
    case EMFILE: return "; raise the limit of open files";
    default: return "";
    }
}

#endif
