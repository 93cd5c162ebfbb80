/// One recorded operation: who its inputs are and how a gradient of its output becomes gradients of its inputs.
final class TapeNode {
    /// The parameter or tensor that this leaf stands for; `nil` for the output of an operation.
    let leaf: AnyObject?
    private(set) var parents: [TapeNode?]
    private var pullback: ((Tensor) -> [Tensor?])?

    init(leaf: AnyObject) {
        self.leaf = leaf
        parents = []
    }

    init(parents: [TapeNode?], pullback: @escaping (Tensor) -> [Tensor?]) {
        leaf = nil
        self.parents = parents
        self.pullback = pullback
    }

    /// Runs the recorded closure once and frees all that it saved.
    func spend(_ gradient: Tensor) -> [Tensor?] {
        guard let pullback else { fatalError("backward was already called on this result: its tape is spent") }
        self.pullback = nil
        return pullback(gradient)
    }
}

extension Tensor {
    /// This output of an operation on `inputs`, with a tape node if any input needs a gradient.
    ///
    /// - Parameter pullback: from the gradient of the output to that of each input, `nil` where none is needed.
    func recorded(from inputs: [Tensor], pullback: @escaping (Tensor) -> [Tensor?]) -> Tensor {
        guard inputs.contains(where: \.needsGradient) else { return self }
        let node = TapeNode(parents: inputs.map(\.node), pullback: pullback)
        return Tensor(shape: shape, buffer: buffer, visibility: visibility, node: node)
    }

    /// This tensor as a variable of its own, whose gradient ``Gradients/subscript(_:)-(Tensor)`` gives.
    public func tracked() -> Tensor {
        Tensor(shape: shape, buffer: buffer, visibility: visibility, node: TapeNode(leaf: buffer))
    }

    /// The gradients of this scalar with respect to every trainable parameter and tracked tensor it depends on.
    ///
    /// The tape is spent afterwards: what the operations saved for this is freed on the way.
    /// - Parameters:
    ///   - factor: what the scalar is multiplied with first.
    ///   - whenReady: told of each parameter as soon as its gradient is complete, while others are still computed.
    public func backward(
        times factor: Float = 1, whenReady: ((_ parameter: Parameter, _ gradient: Tensor) -> Void)? = nil
    ) -> Gradients {
        check(shape.count == 1, "backward wants a scalar, got \(shape); give the upstream gradient for anything else")
        return Tensor.backward(
            from: [(self, Tensor(filledWith: factor, shape: shape, on: cpu))], whenReady: whenReady)
    }

    /// The gradients of `sum over outputs of sum(output * upstream)`.
    public static func backward(
        from outputs: [(output: Tensor, upstream: Tensor)], whenReady: ((Parameter, Tensor) -> Void)? = nil
    ) -> Gradients {
        var pending: [ObjectIdentifier: Tensor] = [:]
        for (output, upstream) in outputs {
            check(output.shape == upstream.shape, "upstream gradient \(upstream.shape) for an output \(output.shape)")
            guard let node = output.node else { continue }
            let visible = output.visibility.map { hide(upstream.detached, $0) } ?? upstream.detached
            pending.accumulate(visible, for: ObjectIdentifier(node))
        }
        var gradients = Gradients()
        let order = topologicalOrder(from: outputs.compactMap(\.output.node))
        // A parameter that is used several times has as many leaves.
        var leavesLeft: [ObjectIdentifier: Int] = [:]
        for case let leaf? in order.map(\.leaf) where whenReady != nil {
            leavesLeft[ObjectIdentifier(leaf), default: 0] += 1
        }
        for node in order {
            let gradient = pending.removeValue(forKey: ObjectIdentifier(node))
            if let leaf = node.leaf {
                if let gradient { gradients.accumulate(gradient, for: leaf) }
                guard let whenReady, let parameter = leaf as? Parameter else { continue }
                leavesLeft[ObjectIdentifier(leaf), default: 0] -= 1
                if leavesLeft[ObjectIdentifier(leaf)] == 0, let sum = gradients[parameter] { whenReady(parameter, sum) }
                continue
            }
            guard let gradient else { continue }
            for (parent, parentGradient) in zip(node.parents, node.spend(gradient)) {
                guard let parent, let parentGradient else { continue }
                pending.accumulate(parentGradient, for: ObjectIdentifier(parent))
            }
        }
        return gradients
    }

    /// All nodes, each before its parents. Depth first with its own stack: networks are deeper than a thread's stack.
    private static func topologicalOrder(from roots: [TapeNode]) -> [TapeNode] {
        var finished: [TapeNode] = []
        var visited: Set<ObjectIdentifier> = []
        for root in roots where visited.insert(ObjectIdentifier(root)).inserted {
            var stack: [(node: TapeNode, nextParent: Int)] = [(root, 0)]
            while let (node, index) = stack.last {
                guard index < node.parents.count else {
                    finished.append(node)
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].nextParent += 1
                if let parent = node.parents[index], visited.insert(ObjectIdentifier(parent)).inserted {
                    stack.append((parent, 0))
                }
            }
        }
        return finished.reversed()
    }
}

extension [ObjectIdentifier: Tensor] {
    fileprivate mutating func accumulate(_ gradient: Tensor, for key: ObjectIdentifier) {
        guard let earlier = removeValue(forKey: key) else {
            self[key] = gradient
            return
        }
        self[key] = add(earlier, gradient).detached
    }
}

/// Gradients by parameter or tracked tensor: what ``Tensor/backward()`` returns.
public struct Gradients {
    private var byLeaf: [ObjectIdentifier: (leaf: AnyObject, gradient: Tensor)] = [:]

    /// No gradients.
    public init() {}

    /// The gradient of a parameter, in its in-memory layout; `nil` if the result does not depend on it.
    public subscript(parameter: Parameter) -> Tensor? {
        get { byLeaf[ObjectIdentifier(parameter)]?.gradient }
        set { byLeaf[ObjectIdentifier(parameter)] = newValue.map { (parameter, $0.detached) } }
    }

    /// The gradient of a tensor that was ``Tensor/tracked()``.
    public subscript(tensor: Tensor) -> Tensor? { byLeaf[ObjectIdentifier(tensor.buffer)]?.gradient }

    fileprivate mutating func accumulate(_ gradient: Tensor, for leaf: AnyObject) {
        let key = ObjectIdentifier(leaf)
        let sum = byLeaf[key].map { add($0.gradient, gradient).detached } ?? gradient
        byLeaf[key] = (leaf, sum)
    }
}
