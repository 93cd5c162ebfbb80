import Networks
import Tensors
import Training

/// A network with adapters, and what they amount to.
struct Adaptation {
    /// The network to train: the given one, or a copy with adapters behind its blocks.
    let network: UNet
    /// A line for the report; nil without adapters.
    let remark: String?

    /// Freezes the pre-trained weights of a network and adds what the recipe wants.
    /// - Parameters:
    ///   - pretrained: the names of the parameters that stay as they are.
    ///   - seed: decides how adapters start.
    /// - Throws: ``FinetuneError/nothingAdapted(modules:)``, `NetworkPlanError` for a network without residual blocks.
    init(_ recipe: AdapterRecipe, of network: UNet, pretrained: [String], seed: UInt64, on cpu: CPU) throws {
        // Adapters that come with the weights go on training.
        func isAdapter(_ name: String) -> Bool { name.contains(".adapter.") }
        let names = Set(pretrained.filter { !isAdapter($0) })
        func frozen(in network: UNet) -> [(name: String, parameter: Parameter)] {
            let found = network.namedParameters.filter { names.contains($0.name) }
            for (_, parameter) in found { parameter.isTrainable = false }
            return found
        }
        let added: Int
        let what: String
        switch recipe {
        case .none:
            (self.network, remark) = (network, nil)
            return
        case .lowRank(let adaptation, let modules):
            let adapted = frozen(in: network).filter { TrainableParameters.only(modules).contains($0.name) }
            let kernels = adapted.count { $0.parameter.layout == .convolution }
            guard kernels > 0 else { throw FinetuneError.nothingAdapted(modules: modules) }
            self.network = network
            added = adaptation.attach(to: adapted, seed: seed)
            what = "LoRA of rank \(adaptation.rank) on \(kernels) convolutions"
        case .residual(let reduction):
            var plan = network.plan
            plan.adapterReduction = plan.adapterReduction ?? reduction
            let copy = try UNet(plan, on: cpu)
            Initializer.pytorchDefault.initialize(copy, seed: seed)
            let values = Dictionary(uniqueKeysWithValues: network.namedParameters.map { ($0.name, $0.parameter) })
            for (name, parameter) in copy.namedParameters {
                if let value = values[name] { parameter.scalars = value.scalars }
            }
            // Adapters have no buffers.
            for (target, source) in zip(copy.namedBuffers, network.namedBuffers) {
                target.buffer.scalars = source.buffer.scalars
            }
            _ = frozen(in: copy)
            self.network = copy
            added = copy.namedParameters.filter { isAdapter($0.name) }.reduce(0) {
                $0 + $1.parameter.pytorchShape.count
            }
            what = "adapters behind \(plan.blocks.reduce(0, +)) residual blocks"
        }
        let kept = network.namedParameters.filter { names.contains($0.name) }.reduce(0) {
            $0 + $1.parameter.pytorchShape.count
        }
        let share = (1000 * Double(added) / Double(max(1, kept))).rounded() / 10
        remark = "\(what): \(added) numbers train beside \(kept) pre-trained ones, which stay (\(share) %)"
    }
}
