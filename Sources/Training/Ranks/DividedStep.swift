import Networks
import Ranks
import Tensors

/// Loss and gradients of a step's whole batch from its parts: micro-batches one after another, ranks side by side.
///
/// Both are the means over all samples, in the same bits on all ranks.
package final class DividedStep<Task: TrainingTask> {
    /// What a step comes to.
    package struct Outcome {
        package var loss: Double
        package var parts: [String: Double]
        package var gradients: Gradients
        /// The cases of this rank's samples.
        package var cases: [String]
        /// Whether a rank was asked to stop.
        package var isInterrupted: Bool
    }

    /// What the whole batch consists of.
    package let division: BatchDivision
    private let task: Task
    private let ranks: any Communicator
    private var buckets: GradientBuckets?

    /// - Throws: ``TrainingError`` if the task's batches cannot be divided like that.
    package init(_ task: Task, microBatch: Int?, ranks: any Communicator) throws {
        let samples = task.batches.samplesPerStep
        division = try BatchDivision(
            samples: samples, microBatch: microBatch, rank: ranks.rank, ranks: ranks.count)
        if ranks.count > 1 || division.parts.count > 1, let reason = task.undividedBecause {
            throw TrainingError.undividable(reason: reason, microBatch: microBatch, ranks: ranks.count)
        }
        (self.task, self.ranks) = (task, ranks)
    }

    deinit { buckets?.close() }

    /// - Parameters:
    ///   - batches: one for each of this rank's parts.
    ///   - parameters: those that train.
    /// - Throws: what the task's loss throws; ``TrainingError`` if it is no number.
    package func compute(
        _ batches: [Task.Source.Batch], step: Int, parameters: [Parameter], isInterrupted: Bool
    ) throws -> Outcome {
        var sums: [String: Double] = [:]
        var (total, cases): (Double, [String]) = (0, [])
        var micro = MicroBatchSum(over: parameters)
        var gradients = Gradients()
        var untouched = Set(parameters.map(ObjectIdentifier.init))
        let buckets = self.buckets(for: parameters)
        for (index, (part, batch)) in zip(division.parts, batches).enumerated() {
            let loss = try task.loss(batch, step: step)
            let (value, weight) = (Double(loss.total.item), division.weight(of: part))
            guard value.isFinite else {
                throw TrainingError.notFinite(what: "loss", value: "\(value)", step: step, cases: loss.cases, kept: nil)
            }
            total += weight * value
            cases += loss.cases
            for (name, number) in loss.parts { sums[name, default: 0] += weight * number }
            guard index == batches.count - 1 else {
                micro.add(loss.total.backward(times: Float(weight)))
                continue
            }
            gradients = loss.total.backward(times: Float(weight)) { parameter, gradient in
                untouched.remove(ObjectIdentifier(parameter))
                guard let buckets, let sum = micro.total(of: parameter, last: gradient) else { return }
                buckets.add(sum, of: parameter)
            }
        }
        guard let buckets else {
            if batches.count > 1 {
                for parameter in parameters {
                    gradients[parameter] = micro.total(of: parameter, last: gradients[parameter])
                }
            }
            return Outcome(
                loss: total, parts: sums, gradients: gradients, cases: cases, isInterrupted: isInterrupted)
        }
        // A branch that no sample of this rank used has no gradient here, but may have one elsewhere.
        var isPresent = parameters.map { _ in 1.0 }
        for (index, parameter) in parameters.enumerated() where untouched.contains(ObjectIdentifier(parameter)) {
            if let sum = micro.total(of: parameter, last: nil) {
                buckets.add(sum, of: parameter)
            } else {
                buckets.skip(parameter)
                isPresent[index] = 0
            }
        }
        gradients = Gradients()
        buckets.finish()
        let names = sums.keys.sorted()
        let numbers = RankSum(ranks)([total, isInterrupted ? 1 : 0] + names.map { sums[$0] ?? 0 } + isPresent)
        for (name, value) in zip(names, numbers.dropFirst(2)) { sums[name] = value }
        let present = zip(parameters, numbers.dropFirst(2 + names.count)).filter { $1 > 0 }.map(\.0)
        return Outcome(
            loss: numbers[0], parts: sums, gradients: buckets.sums(of: present), cases: cases,
            isInterrupted: numbers[1] > 0)
    }

    private func buckets(for parameters: [Parameter]) -> GradientBuckets? {
        guard ranks.count > 1 else { return nil }
        if let buckets, buckets.serve(parameters) { return buckets }
        buckets?.close()
        buckets = GradientBuckets(parameters, ranks: ranks)
        return buckets
    }
}
