package dev.caisson.cli.seccomp;

import dev.caisson.seccomp.ProfileMerge;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson seccomp merge`: one profile that allows what any of several allows.
@Command(
        name = "merge",
        description = "Print a profile that allows what any of the given ones allows; recorded ones add up their runs.")
final class SeccompMergeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "2..*", paramLabel = "PROFILE", description = "standard, strict, or files.")
    private List<String> profiles = new ArrayList<>();

    @Override
    public Integer call() {
        spec.commandLine()
                .getOut()
                .print(ProfileMerge.of(
                                profiles.stream().map(SeccompOperand::profile).toList())
                        .toJson());
        return 0;
    }
}
