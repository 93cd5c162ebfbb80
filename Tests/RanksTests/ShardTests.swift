import Ranks
import Testing

struct ShardTests {
    @Test("the shards of any work are all of it, once each", arguments: [0, 1, 5, 12], [1, 2, 7])
    func parts(pieces: Int, count: Int) throws {
        let parts = try (0..<count).map { try #require(Shard("\($0)/\(count)")).part(of: Array(0..<pieces)) }
        #expect(parts.flatMap(\.self).sorted() == Array(0..<pieces))
        let sizes = parts.map(\.count)
        #expect(sizes.max()! - sizes.min()! <= 1)
    }

    @Test("what names no shard is none", arguments: ["", "1", "1/", "/2", "2/2", "-1/2", "0/0", "a/b", "0/1/2"])
    func refuses(text: String) { #expect(Shard(text) == nil) }
}
