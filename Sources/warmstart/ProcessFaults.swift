import Foundation

/// What the system does to a process that writes to nobody or to too large a file, or that gets no memory.
enum ProcessFaults {
    /// Makes a write that fails an error like others, and the want of memory one with a message and a status of its own.
    static func prepare() {
        // The next file that is opened would take the number of a closed stream, and get the messages.
        var descriptor = open("/dev/null", O_RDWR)
        while (0...STDERR_FILENO).contains(descriptor) { descriptor = open("/dev/null", O_RDWR) }
        close(descriptor)
        // Whoever starts the tool may have blocked the signals that ask it to save and stop.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        // A reader that has gone, and a file beyond `ulimit -f`: the failing call says so, and its error is handled there.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        // Swift says how much memory it did not get and aborts. Nothing can be allocated then: only write and leave.
        signal(SIGABRT) { _ in
            let advice: StaticString = """
                warmstart: out of memory. Use smaller patches or batches, fewer --threads or batches_ahead, or more memory.
                Checkpoints and finished cases are kept: the same command goes on, with --resume for a run.

                """
            _ = write(STDERR_FILENO, advice.utf8Start, advice.utf8CodeUnitCount)
            _exit(71)  // sysexits' EX_OSERR
        }
    }
}
