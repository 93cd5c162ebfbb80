// System calls that the C library's headers hide from Swift.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Lets two names in a folder change places in one step; -1 and errno where the file system cannot.
static inline int ws_exchange(const char *first, const char *second) {
    const unsigned exchange = 1 << 1;  // RENAME_EXCHANGE
    return (int)syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, exchange);
}
