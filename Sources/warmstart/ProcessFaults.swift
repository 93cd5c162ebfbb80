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
        // Swift says how much memory it did not get and aborts.
        signal(SIGABRT) { _ in leaveWithoutMemory() }
        // Foundation traps instead, as every mistake in the code does: only where memory is short is that the cause.
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            if isMemoryShort() { leaveWithoutMemory() }
            var former = formerTrap
            sigaction(number, &former, nil)
        }
        sigaction(SIGILL, &action, &formerTrap)
    }
}

/// What was done with a trap before: it prints the place of the mistake. Written once, before anything else runs; a handler can
/// reach nothing but the process's own variables.
nonisolated(unsafe) private var formerTrap = sigaction()

/// Whether the system refuses memory that it need not even provide yet.
private func isMemoryShort() -> Bool {
    mmap(nil, 1 << 26, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
}

/// Says what is the matter and ends the process. Nothing can be allocated any more: it only writes and leaves.
private func leaveWithoutMemory() -> Never {
    let advice: StaticString = """
        warmstart: out of memory. Use smaller patches or batches, fewer --threads or batches_ahead, or more memory.
        Checkpoints and finished cases are kept: the same command goes on, with --resume for a run.

        """
    _ = write(STDERR_FILENO, advice.utf8Start, advice.utf8CodeUnitCount)
    _exit(71)  // sysexits' EX_OSERR
}
