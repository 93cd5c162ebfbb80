import Testing
import Training

struct ProgressTests {
    final class Screen {
        var text = ""
        var time = 0.0
    }

    static func progress(_ screen: Screen, isTerminal: Bool) -> Progress {
        Progress(
            "training", total: 100, unit: "step", isTerminal: isTerminal, write: { screen.text += $0 },
            now: { screen.time })
    }

    @Test func aTerminalShowsABarWithRateAndRemainingTime() {
        let screen = Screen()
        var progress = Self.progress(screen, isTerminal: true)
        for count in 1...50 {
            screen.time = Double(count) * 2
            progress.advance(to: count, note: "loss 1")
        }
        #expect(
            screen.text.hasSuffix("training 50/100  [████████████············]  2.0 s/step  1 min 40 s left  loss 1"))
        #expect(screen.text.hasPrefix("\r") && !screen.text.contains("\n"))
        progress.finish()
        #expect(screen.text.hasSuffix("\n"))
    }

    @Test func anInterruptedBarStaysAndANewOneFollows() {
        let screen = Screen()
        var progress = Self.progress(screen, isTerminal: true)
        progress.interrupt()
        #expect(screen.text.isEmpty)
        progress.advance(to: 1)
        progress.interrupt()
        screen.text += "left out: a\n"
        screen.time = 0.01
        progress.advance(to: 2)
        let lines = screen.text.split(separator: "\n")
        #expect(lines.count == 3 && lines[1] == "left out: a", "\(lines)")
    }

    @Test func elsewhereThereAreFewPlainLines() {
        let screen = Screen()
        var progress = Self.progress(screen, isTerminal: false)
        for count in 1...100 {
            screen.time = Double(count)
            progress.advance(to: count)
        }
        progress.finish()
        let lines = screen.text.split(separator: "\n")
        #expect(lines.count == 5 && !screen.text.contains("\r"))
        #expect(lines[1] == "training 31/100  1.0 steps/s  1 min 09 s left", "\(lines)")
    }
}
