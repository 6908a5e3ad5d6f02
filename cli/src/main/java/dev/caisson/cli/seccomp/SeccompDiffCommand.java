package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.FilterDifference;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson seccomp diff`: every call that two filters decide differently. Exits with 1 where there is one, as diff(1).
@Command(
        name = "diff",
        description = "List every call that two profiles, filters, processes or containers decide differently.")
final class SeccompDiffCommand implements Callable<Integer> {
    @Mixin
    private SeccompTarget target = new SeccompTarget();

    @Parameters(index = "0", paramLabel = "A", description = "A profile, a .bpf file, a process or a container.")
    private String first = "";

    @Parameters(index = "1", paramLabel = "B", description = "Another.")
    private String second = "";

    @Option(
            names = "--ignore-errno",
            description = "Leave out calls that both deny with different errors, as EPERM and ENOSYS.")
    private boolean ignoreErrors;

    @Override
    public Integer call() {
        List<FilterDifference> differences = FilterDifference.between(
                        SeccompOperand.read(first, target).filter(target),
                        SeccompOperand.read(second, target).filter(target))
                .stream()
                .filter(difference -> !ignoreErrors || !difference.isOfErrorsAlone())
                .toList();
        PrintWriter out = target.out();
        for (FilterDifference difference : differences) {
            out.println((difference.loosens() ? "+ " : "- ") + OneLine.of(difference.toString()));
        }
        long looser = differences.stream().filter(FilterDifference::loosens).count();
        out.println(differences.size() + " differences; the second lets more through in " + looser);
        return differences.isEmpty() ? 0 : 1;
    }
}
