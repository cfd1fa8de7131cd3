#include <lmdb.h>
#include <sys/types.h>

// Declared by fcntl.h only for programs that ask for GNU extensions, which a Swift module does not.
extern int fallocate(int descriptor, int mode, off_t offset, off_t count);

/// Sets room aside without changing the size of the file. 0, or -1 with errno set.
static inline int clmdb_set_room_aside(int descriptor, off_t offset, off_t count) {
    return fallocate(descriptor, 1 /* FALLOC_FL_KEEP_SIZE */, offset, count);
}
