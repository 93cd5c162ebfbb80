/// Is told of a parameter whose gradient is complete.
typealias WhenReady = (_ parameter: Parameter, _ gradient: Tensor) -> Void

/// One recorded operation: who its inputs are and how a gradient of its output becomes gradients of its inputs.
final class TapeNode {
    /// The parameter or variable that this leaf stands for; `nil` for the output of an operation.
    let leaf: AnyObject?
    private(set) var parents: [TapeNode?]
    private var pullback: ((inout Tensor, inout Gradients, WhenReady?) -> [Tensor?])?

    init(leaf: AnyObject) {
        self.leaf = leaf
        parents = []
    }

    /// - Parameter pullback: from the gradient of the output to those of the parents. What it adds to the gradients of
    ///   parameters by itself counts as their leaves', which are among the parents; it may tell of those that are complete with
    ///   that.
    init(parents: [TapeNode?], pullback: @escaping (inout Tensor, inout Gradients, WhenReady?) -> [Tensor?]) {
        leaf = nil
        self.parents = parents
        self.pullback = pullback
    }

    /// Runs the recorded closure once and frees all that it saved. The gradient's memory may be used up.
    func spend(_ gradient: inout Tensor, _ gradients: inout Gradients, _ whenReady: WhenReady?) -> [Tensor?] {
        guard let pullback else { fatalError("backward was already called on this result: its tape is spent") }
        self.pullback = nil
        return pullback(&gradient, &gradients, whenReady)
    }
}

extension [Tensor] {
    /// Whether an operation on these is recorded.
    var needGradient: Bool { contains(where: \.needsGradient) }
}

/// What the leaf of a tracked tensor stands for; it does not hold the memory.
private final class Variable {}

extension Tensor {
    /// This output of an operation on `inputs`, with a tape node if any input needs a gradient.
    ///
    /// - Parameter pullback: from the gradient of the output to that of each input, `nil` where none is needed. It may write
    ///   into a gradient that ``isUnshared()``. Large inputs it captures as ``Kept``. If this is known to be filled, the
    ///   gradient may be given at one of many equal voxels (``Filling``).
    func recorded(from inputs: [Tensor], pullback: @escaping (inout Tensor) -> [Tensor?]) -> Tensor {
        guard inputs.needGradient else { return self }
        let node = TapeNode(parents: inputs.map(\.node)) { gradient, _, _ in pullback(&gradient) }
        return Tensor(shape: shape, buffer: buffer, visibility: visibility, filling: filling, node: node)
    }

    /// This tensor as a variable of its own, whose gradient ``Gradients/subscript(_:)-(Tensor)`` gives.
    public func tracked() -> Tensor {
        known(as: nil).trackedAsFilled()
    }

    /// ``tracked()`` for whoever passes the gradient on to what made this tensor. That of a filled map may be given at one of
    /// many equal voxels.
    package func trackedAsFilled() -> Tensor {
        Tensor(
            shape: shape, buffer: buffer, visibility: visibility, filling: filling,
            node: TapeNode(leaf: Variable()))
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
        var (outputs, gradients) = (outputs, Gradients())
        backward(spending: &outputs, into: &gradients, whenReady: whenReady)
        return gradients
    }

    /// ``backward(from:whenReady:)`` that lets go of outputs and upstream gradients as soon as nothing needs them, and adds
    /// to gradients that are there.
    static func backward(
        spending outputs: inout [(output: Tensor, upstream: Tensor)], into gradients: inout Gradients,
        whenReady: WhenReady? = nil
    ) {
        var pending: [ObjectIdentifier: Tensor] = [:]
        for (output, upstream) in outputs {
            check(output.shape == upstream.shape, "upstream gradient \(upstream.shape) for an output \(output.shape)")
            guard let node = output.node else { continue }
            let seen = output.visibility.map { hide(upstream.detached, $0) } ?? upstream.filledWithZeros()
            pending.accumulate(seen, for: ObjectIdentifier(node))
        }
        let order = topologicalOrder(from: outputs.compactMap(\.output.node))
        outputs = []
        // A parameter that is used several times has as many leaves.
        var leavesLeft: [ObjectIdentifier: Int] = [:]
        for case let leaf? in order.map(\.leaf) where whenReady != nil {
            leavesLeft[ObjectIdentifier(leaf), default: 0] += 1
        }
        for node in order {
            var gradient = pending.removeValue(forKey: ObjectIdentifier(node))
            if let leaf = node.leaf {
                if let gradient { gradients.accumulate(gradient, for: leaf) }
                guard let whenReady, let parameter = leaf as? Parameter, leavesLeft[ObjectIdentifier(leaf)] != 0 else {
                    continue
                }
                leavesLeft[ObjectIdentifier(leaf), default: 0] -= 1
                if leavesLeft[ObjectIdentifier(leaf)] == 0, let sum = gradients[parameter] { whenReady(parameter, sum) }
                continue
            }
            guard gradient != nil else { continue }
            let parts = node.spend(
                &gradient!, &gradients,
                whenReady.map { tell in
                    { parameter, gradient in
                        guard leavesLeft[ObjectIdentifier(parameter)] == 1 else { return }
                        leavesLeft[ObjectIdentifier(parameter)] = 0
                        tell(parameter, gradient)
                    }
                })
            for (parent, parentGradient) in zip(node.parents, parts) {
                guard let parent, let parentGradient else { continue }
                pending.accumulate(parentGradient, for: ObjectIdentifier(parent))
            }
        }
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
        guard var sum = removeValue(forKey: key) else {
            self[key] = gradient
            return
        }
        sum.accumulate(gradient)
        self[key] = sum
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
    public subscript(tensor: Tensor) -> Tensor? { tensor.node.flatMap { self[$0] } }

    private subscript(node: TapeNode) -> Tensor? { node.leaf.flatMap { byLeaf[ObjectIdentifier($0)]?.gradient } }

    /// The gradient of a leaf, for whoever asks last.
    mutating func take(_ node: TapeNode) -> Tensor? {
        node.leaf.flatMap { byLeaf.removeValue(forKey: ObjectIdentifier($0))?.gradient }
    }

    fileprivate mutating func accumulate(_ gradient: Tensor, for leaf: AnyObject) {
        let key = ObjectIdentifier(leaf)
        guard var (_, sum) = byLeaf.removeValue(forKey: key) else {
            byLeaf[key] = (leaf, gradient)
            return
        }
        sum.accumulate(gradient)
        byLeaf[key] = (leaf, sum)
    }
}
