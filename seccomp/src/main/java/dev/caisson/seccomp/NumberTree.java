package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/// A balanced search tree over the numbers of one ABI: neighbours with the same decision are one interval, and each
/// step halves the intervals that are left.
final class NumberTree {
    private static final int NUMBER = 0;

    private record Interval(int first, Node node) {}

    private final Node.Graph graph;
    private final int mask;
    private final List<Interval> intervals = new ArrayList<>();

    private NumberTree(Node.Graph graph, int mask) {
        this.graph = graph;
        this.mask = mask;
    }

    /// Builds the tree and gives its root.
    /// @param mask laid on the number before it is looked up
    /// @param nodes by number; a number that is missing gets `unknown`
    static Node build(Node.Graph graph, int mask, SortedMap<Integer, Node> nodes, Node unknown) {
        var tree = new NumberTree(graph, mask);
        int next = 0;
        for (var entry : nodes.entrySet()) {
            if (entry.getKey() > next) {
                tree.add(next, unknown);
            }
            tree.add(entry.getKey(), entry.getValue());
            next = entry.getKey() + 1;
        }
        tree.add(next, unknown);
        return tree.node(0, tree.intervals.size() - 1);
    }

    private void add(int first, Node node) {
        if (intervals.isEmpty() || !intervals.getLast().node().equals(node)) {
            intervals.add(new Interval(first, node));
        }
    }

    private Node node(int from, int to) {
        Interval low = intervals.get(from);
        if (from == to) {
            return low.node();
        }
        if (to - from == 2 && isHole(from + 1)) {
            Interval hole = intervals.get(from + 1);
            return graph.test(NUMBER, mask, Node.Jump.EQUAL, hole.first(), hole.node(), low.node());
        }
        int split = from + (to - from + 1) / 2;
        return graph.test(
                NUMBER,
                mask,
                Node.Jump.GREATER_OR_EQUAL,
                intervals.get(split).first(),
                node(split, to),
                node(from, split - 1));
    }

    /// True if an interval is a single number between two that have the same decision.
    private boolean isHole(int index) {
        return intervals.get(index).first() + 1 == intervals.get(index + 1).first()
                && intervals
                        .get(index - 1)
                        .node()
                        .equals(intervals.get(index + 1).node());
    }
}
