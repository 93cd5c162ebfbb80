import Foundation

/// The most memory that the process has held, in GB.
func peakResidentGB() -> Double {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1e6  // Linux counts kilobytes
}
