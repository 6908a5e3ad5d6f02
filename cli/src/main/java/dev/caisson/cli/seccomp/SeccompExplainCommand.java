package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.CallText;
import dev.caisson.seccomp.DecisionTable;
import dev.caisson.seccomp.Explainer;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.SyscallTable;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson seccomp explain`: what a profile, a filter or a running process's filters decide: for all calls, for one,
/// or for one with its arguments.
@Command(
        name = "explain",
        description = "Say what a profile, or the filters of a process or container, decide; and for one call why.")
final class SeccompExplainCommand implements Callable<Integer> {
    private static final int MOST_ARGUMENTS = 6;

    @Mixin
    private SeccompTarget target = new SeccompTarget();

    @Option(names = "--abi", paramLabel = "ABI", description = "How the call enters, as x86 (default: natively).")
    private @Nullable String abi;

    @Parameters(
            index = "0",
            paramLabel = "PROFILE|CONTAINER|PID",
            description = "A profile, a .bpf file, a process, or a container of Caisson, Docker or Podman.")
    private String subject = "";

    @Parameters(
            index = "1..*",
            arity = "0..7",
            paramLabel = "SYSCALL [ARGUMENT]",
            description = "A call by its name, and its arguments as numbers.")
    private List<String> call = new ArrayList<>();

    @Override
    public Integer call() {
        SeccompOperand operand = SeccompOperand.read(subject, target);
        PrintWriter out = target.out();
        List<Filter> filters = operand.filters(target);
        if (filters.isEmpty()) {
            out.println("no filter: every call is allowed");
            return 0;
        }
        Architecture machine = SeccompOperand.machine(operand, target);
        Architecture entered = abi == null ? machine : Architecture.parse(abi);
        if (call.isEmpty()) {
            tables(out, filters);
            return 0;
        }
        int number = number(entered, call.getFirst());
        if (call.size() == 1) {
            rows(out, filters, entered, call.getFirst());
        }
        SeccompData data = SeccompData.of(entered, number, arguments());
        if (call.size() > 1) {
            filters.forEach(filter -> out.println(OneLine.of(CallText.of(data)) + ": " + filter.decide(data)));
        }
        if (operand instanceof SeccompOperand.OfProfile profile) {
            new Explainer(profile.profile(), target.target())
                    .explain(data)
                    .reasons()
                    .forEach(reason -> out.println("  " + OneLine.of(reason)));
        }
        return 0;
    }

    private static void tables(PrintWriter out, List<Filter> filters) {
        for (int index = 0; index < filters.size(); index++) {
            Filter filter = filters.get(index);
            String which = filters.size() == 1 ? "" : "filter " + (index + 1) + " of " + filters.size() + ", ";
            out.println(which + filter.length() + " instructions, sha256 " + filter.sha256());
            out.print(DecisionTable.of(filter));
        }
    }

    private static void rows(PrintWriter out, List<Filter> filters, Architecture abi, String name) {
        for (Filter filter : filters) {
            DecisionTable.of(filter)
                    .row(abi, name)
                    .ifPresent(row -> row.ways()
                            .forEach(way -> out.println(name + "  "
                                    + (way.conditions().isEmpty() ? "always" : String.join(", ", way.conditions()))
                                    + "  "
                                    + way.action())));
        }
        SyscallTable.get()
                .byName(name)
                .filter(known -> !known.filterable())
                .ifPresent(known -> out.println(
                        name + "  the kernel asks no filter about it: whatever stands above, it cannot be denied"));
    }

    private static int number(Architecture abi, String name) {
        return SyscallTable.get()
                .number(abi, name)
                .orElseThrow(() ->
                        CommandException.usage(abi + " has no call '" + name + "'; see syscalls(2), or give --abi"));
    }

    private long[] arguments() {
        if (call.size() > MOST_ARGUMENTS + 1) {
            throw CommandException.usage("a call has at most 6 arguments");
        }
        return call.stream().skip(1).mapToLong(SeccompExplainCommand::number).toArray();
    }

    private static long number(String text) {
        try {
            if (text.startsWith("0x")) {
                return Long.parseUnsignedLong(text.substring(2), 16);
            }
            return text.startsWith("-") ? Long.parseLong(text) : Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw CommandException.usage(
                    "an argument is a number of at most 64 bits, as 2 or 0x10, not '" + text + "'");
        }
    }
}
