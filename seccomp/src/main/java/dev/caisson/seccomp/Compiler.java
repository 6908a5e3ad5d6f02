package dev.caisson.seccomp;

import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Compiles a profile to a classic BPF program: the ABI first, then the number by a balanced tree, and only then, for
/// the calls that need it, the arguments. So every call that is allowed whatever its arguments is one that the kernel
/// can enter in its bitmap of such calls and then lets pass without running the filter (Linux 5.11).
public final class Compiler {
    private static final int NUMBER = 0;
    private static final int ARCH = 4;

    /// Numbers from here on are X32's own.
    private static final int X32_OWN = 512;

    private final Profile profile;
    private final Target target;
    private final Node.Graph graph = new Node.Graph();
    private final Arguments arguments;
    private final Map<Architecture, SortedMap<Integer, Decisions.Decision>> decisions =
            new EnumMap<>(Architecture.class);

    private Compiler(Profile profile, Target target) {
        this.profile = profile;
        this.target = target;
        this.arguments = new Arguments(graph, target.architecture().byteOrder());
        var resolved = new Decisions(profile, target);
        profile.abisOn(target.architecture()).forEach(abi -> decisions.put(abi, resolved.of(abi)));
    }

    /// Compiles a profile for a target.
    /// @throws SeccompException FILTER_TOO_LONG where the program would pass the kernel's 4,096 instructions
    public static Filter compile(Profile profile, Target target) {
        var compiler = new Compiler(profile, target);
        long[] program = Assembler.assemble(compiler.root());
        return new Filter(
                target.architecture(), program, Summary.of(profile, target.architecture(), compiler.decisions));
    }

    private Node root() {
        Architecture machine = target.architecture();
        Node otherwise = graph.result(Action.KILL_PROCESS);
        Set<Architecture> abis = decisions.keySet();
        for (Architecture abi : abis) {
            if (abi != machine && abi != Architecture.X32) {
                otherwise = graph.test(ARCH, Node.ALL, Node.Jump.EQUAL, abi.auditValue(), numbers(abi), otherwise);
            }
        }
        Node own = abis.contains(Architecture.X32) ? numbersWithX32() : numbers(machine);
        return graph.test(ARCH, Node.ALL, Node.Jump.EQUAL, machine.auditValue(), own, otherwise);
    }

    private Node numbers(Architecture abi) {
        return NumberTree.build(graph, Node.ALL, nodes(abi), unknown());
    }

    /// One tree for the numbers that X86_64 and X32 have in common, and a second for X32's own.
    private Node numbersWithX32() {
        int plain = ~Architecture.X32_BIT;
        Node common = NumberTree.build(graph, plain, nodes(Architecture.X86_64), unknown());
        Node own = NumberTree.build(graph, plain, nodes(Architecture.X32).tailMap(X32_OWN), unknown());
        Node x32 = graph.test(NUMBER, plain, Node.Jump.GREATER_OR_EQUAL, X32_OWN, own, common);
        return graph.test(NUMBER, Node.ALL, Node.Jump.GREATER_OR_EQUAL, Architecture.X32_BIT, x32, common);
    }

    private Node unknown() {
        return graph.result(profile.unknownAction());
    }

    private SortedMap<Integer, Node> nodes(Architecture abi) {
        var nodes = new TreeMap<Integer, Node>();
        decisions
                .getOrDefault(abi, new TreeMap<>())
                .forEach((number, decision) -> nodes.put(number, node(abi, number, decision)));
        return nodes;
    }

    private Node node(Architecture abi, int number, Decisions.Decision decision) {
        Node node = graph.result(decision.otherwise());
        if (!decision.dependsOnArguments()) {
            return node;
        }
        Syscall call = SyscallTable.get().byNumber(abi, number).orElseThrow();
        for (Decisions.Branch branch : decision.branches().reversed()) {
            Node no = node;
            Node yes = graph.result(branch.action());
            for (Condition condition : branch.conditions().reversed()) {
                yes = arguments.test(condition, call.bits(abi, condition.index()), yes, no);
            }
            node = yes;
        }
        return node;
    }
}
