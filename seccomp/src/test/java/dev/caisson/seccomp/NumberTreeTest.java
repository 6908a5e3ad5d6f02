package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Numbers and their decisions as a tree of comparisons, as small as it can be.
class NumberTreeTest {
    private final Node.Graph graph = new Node.Graph();
    private final Node allow = graph.result(Action.ALLOW);
    private final Node deny = graph.result(Action.errno(1));
    private final Node kill = graph.result(Action.KILL_PROCESS);

    private Node tree(Map<Integer, Node> nodes) {
        return NumberTree.build(graph, Node.ALL, new TreeMap<>(nodes), deny);
    }

    private static Node decided(Node root, int number) {
        Node at = root;
        while (at instanceof Node.Test test) {
            boolean yes = test.jump() == Node.Jump.EQUAL
                    ? number == test.constant()
                    : Integer.compareUnsigned(number, test.constant()) >= 0;
            at = yes ? test.yes() : test.no();
        }
        return at;
    }

    private static int tests(Node root, Set<Node> seen) {
        return root instanceof Node.Test test && seen.add(root)
                ? 1 + tests(test.yes(), seen) + tests(test.no(), seen)
                : 0;
    }

    private static int tests(Node root) {
        return tests(root, new HashSet<>());
    }

    @Test
    void every_number_gets_its_decision() {
        Node root = tree(Map.of(0, allow, 1, allow, 4, kill, 5, allow, 9, kill));
        Node[] wanted = {allow, allow, deny, deny, kill, allow, deny, deny, deny, kill, deny};
        for (int number = 0; number < wanted.length; number++) {
            assertThat(decided(root, number)).as("%d", number).isSameAs(wanted[number]);
        }
        assertThat(decided(root, -1)).isSameAs(deny);
        Node from = tree(Map.of(1, allow, 2, kill));
        assertThat(decided(from, 0)).isSameAs(deny);
        assertThat(decided(from, 1)).isSameAs(allow);
    }

    @Test
    void neighbours_with_one_decision_are_one_interval() {
        assertThat(tests(tree(Map.of(0, allow, 1, allow, 2, allow)))).isEqualTo(1);
        assertThat(tests(tree(Map.of(0, deny, 1, deny)))).isZero();
        assertThat(tests(tree(Map.of(0, allow, 1, kill)))).isEqualTo(2);
    }

    @Test
    void one_number_among_others_takes_one_comparison() {
        Node alone = tree(Map.of(7, allow));
        assertThat(tests(alone)).isEqualTo(1);
        assertThat(((Node.Test) alone).jump()).isEqualTo(Node.Jump.EQUAL);
        assertThat(tests(tree(Map.of(7, allow, 8, allow)))).isEqualTo(2);
        assertThat(tests(tree(Map.of(0, kill, 1, kill, 2, allow)))).isEqualTo(2);
    }
}
