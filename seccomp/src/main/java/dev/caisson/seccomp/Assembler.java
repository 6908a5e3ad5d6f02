package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Lays a decision out as instructions, from its end backwards, so that every distance is known when a jump is
/// written. A jump reaches 255 instructions; where that is not enough, a result is written again near by, and a longer
/// way goes over an unconditional jump.
final class Assembler {
    /// `BPF_MAXINSNS`.
    static final int MAX_LENGTH = 4096;

    private static final int LOAD_WORD = 0x20;
    private static final int AND = 0x54;
    private static final int RETURN = 0x06;
    private static final int JUMP = 0x05;

    /// Less than 255 by what one jump's own detours may add.
    private static final int REACH = 252;

    /// The content of the accumulator: a masked word of `seccomp_data`. Nothing is known where ways with different
    /// words meet.
    private record Held(int offset, int mask) {
        private static final Held NOTHING = new Held(-1, 0);

        /// By hand, as [#hashCode]: what the JVM makes when it is first called costs a cold command milliseconds.
        @Override
        public boolean equals(Object other) {
            return other instanceof Held held && offset == held.offset && mask == held.mask;
        }

        @Override
        public int hashCode() {
            return 31 * offset + mask;
        }
    }

    private final List<Long> reversed = new ArrayList<>();
    private final Map<Node, Integer> starts = new HashMap<>();

    /// Lays out the decision that starts at `root`.
    /// @return the instructions, each as code, jt, jf and k from the highest bits down
    static long[] assemble(Node root) {
        List<Node> childrenFirst = new ArrayList<>();
        visit(root, new HashMap<>(), childrenFirst);
        Map<Node, Held> held = held(root, childrenFirst);
        var assembler = new Assembler();
        for (Node node : childrenFirst) {
            switch (node) {
                case Node.Result result -> assembler.result(result);
                case Node.Test test -> assembler.test(test, held.getOrDefault(test, Held.NOTHING));
            }
        }
        return assembler.program();
    }

    private static void visit(Node node, Map<Node, Boolean> seen, List<Node> childrenFirst) {
        if (seen.put(node, true) != null) {
            return;
        }
        if (node instanceof Node.Test test) {
            visit(test.no(), seen, childrenFirst);
            visit(test.yes(), seen, childrenFirst);
        }
        childrenFirst.add(node);
    }

    /// Returns for each test what the accumulator holds on every way to it.
    private static Map<Node, Held> held(Node root, List<Node> childrenFirst) {
        Map<Node, Held> held = new HashMap<>();
        held.put(root, Held.NOTHING);
        for (Node node : childrenFirst.reversed()) {
            if (node instanceof Node.Test test) {
                Held after = new Held(test.offset(), test.mask());
                merge(held, test.yes(), after);
                merge(held, test.no(), belowX32(test) ? new Held(0, ~Architecture.X32_BIT) : after);
            }
        }
        return held;
    }

    /// True if `no` means a number below X32's bit, which is the same with the bit cleared.
    private static boolean belowX32(Node.Test test) {
        return test.offset() == 0
                && test.mask() == Node.ALL
                && test.jump() == Node.Jump.GREATER_OR_EQUAL
                && test.constant() == Architecture.X32_BIT;
    }

    private static void merge(Map<Node, Held> held, Node node, Held way) {
        held.merge(node, way, (a, b) -> a.equals(b) ? a : Held.NOTHING);
    }

    private void result(Node.Result result) {
        append(RETURN, 0, 0, result.action().returnValue());
        starts.put(result, reversed.size());
    }

    private void test(Node.Test test, Held held) {
        bringNear(test.yes());
        bringNear(test.no());
        append(test.jump().code(), distance(test.yes()), distance(test.no()), test.constant());
        var needed = new Held(test.offset(), test.mask());
        if (!held.equals(needed)) {
            if (test.mask() != Node.ALL) {
                append(AND, 0, 0, test.mask());
            }
            if (!held.equals(new Held(test.offset(), Node.ALL))) {
                append(LOAD_WORD, 0, 0, test.offset());
            }
        }
        starts.put(test, reversed.size());
    }

    private void bringNear(Node node) {
        if (distance(node) <= REACH) {
            return;
        }
        switch (node) {
            case Node.Result result -> result(result);
            case Node.Test test -> {
                append(JUMP, 0, 0, distance(test));
                starts.put(test, reversed.size());
            }
        }
    }

    /// How many instructions a jump written next would skip.
    private int distance(Node node) {
        Integer start = starts.get(node);
        if (start == null) {
            throw new IllegalStateException("a jump to what is not written yet");
        }
        return reversed.size() - start;
    }

    private void append(int code, int yes, int no, int constant) {
        if (yes > 255 || no > 255) {
            throw new IllegalStateException("a jump over " + Math.max(yes, no) + " instructions");
        }
        reversed.add(((long) code << 48) | ((long) yes << 40) | ((long) no << 32) | (constant & 0xffffffffL));
        if (reversed.size() > MAX_LENGTH) {
            throw new SeccompException(
                    SeccompException.Code.FILTER_TOO_LONG,
                    "the profile needs more than the kernel's " + MAX_LENGTH
                            + " instructions; give it fewer conditions or ABIs");
        }
    }

    private long[] program() {
        return reversed.reversed().stream().mapToLong(Long::longValue).toArray();
    }
}
