package dev.caisson.seccomp;

import java.util.HashMap;
import java.util.Map;

/// A step of a decision: the result, or a test of one 32-bit word of `seccomp_data` with a step for either outcome.
/// Nodes are made by a [Graph], which gives equal steps one node, so identity is equality.
sealed interface Node {
    /// The whole word.
    int ALL = -1;

    record Result(Action action) implements Node {
        @Override
        public boolean equals(Object other) {
            return other instanceof Result result && action.equals(result.action);
        }

        @Override
        public int hashCode() {
            return action.hashCode();
        }
    }

    /// A comparison of a word with a constant.
    /// @param offset of the word in `seccomp_data`
    /// @param mask that is laid on the word first, [#ALL] for none
    record Test(int offset, int mask, Jump jump, int constant, Node yes, Node no) implements Node {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /// The comparisons that classic BPF has, all unsigned.
    enum Jump {
        EQUAL(0x15),
        GREATER(0x25),
        GREATER_OR_EQUAL(0x35),
        ANY_BIT(0x45);

        private final int code;

        Jump(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }
    }

    /// Makes nodes, each only once.
    final class Graph {
        /// Its hash is not left to the JVM, which would make the method when it is first called.
        private record Key(int offset, int mask, Jump jump, int constant, Node yes, Node no) {
            @Override
            public boolean equals(Object other) {
                return other instanceof Key key
                        && offset == key.offset
                        && mask == key.mask
                        && jump == key.jump
                        && constant == key.constant
                        && yes.equals(key.yes)
                        && no.equals(key.no);
            }

            @Override
            public int hashCode() {
                return (((offset * 31 + mask) * 31 + jump.code()) * 31 + constant) * 31
                        + yes.hashCode() * 31
                        + no.hashCode();
            }
        }

        private final Map<Action, Node> results = new HashMap<>();
        private final Map<Key, Node> tests = new HashMap<>();

        Node result(Action action) {
            return results.computeIfAbsent(action, Result::new);
        }

        Node test(int offset, int mask, Jump jump, int constant, Node yes, Node no) {
            if (yes.equals(no)) {
                return yes;
            }
            var key = new Key(offset, mask, jump, constant, yes, no);
            return tests.computeIfAbsent(key, k -> new Test(offset, mask, jump, constant, yes, no));
        }
    }
}
