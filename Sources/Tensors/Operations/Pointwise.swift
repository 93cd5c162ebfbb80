/// A function of each element, with its derivative: logarithms, sines, quotients.
///
/// - Parameters:
///   - x: any shape, dense.
///   - value: the function.
///   - derivative: its derivative, as a function of the element.
public func pointwise(
    _ x: Tensor, _ value: (Float) -> Float, derivative: @escaping (Float) -> Float
) -> Tensor {
    check(x.visibility == nil, "pointwise wants a dense tensor")
    let y = x.elementwise { out, range in for i in range { out[i] = value(x.pointer[i]) } }
    return y.recorded(from: [x]) { gradient in
        [
            gradient.elementwise { out, range in
                for i in range { out[i] = gradient.pointer[i] * derivative(x.pointer[i]) }
            }
        ]
    }
}

/// `a - b`, element by element.
public func subtract(_ a: Tensor, _ b: Tensor) -> Tensor { add(a, scale(b, by: -1)) }
