package dev.caisson.cli;

import dev.caisson.seccomp.ProfileLint;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson seccomp lint`: what a profile says that was hardly meant. Exits with 1 where something is wrong.
@Command(name = "lint", description = "Find what is wrong or doubtful in a profile.")
final class SeccompLintCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Mixin
    private SeccompTarget target = new SeccompTarget();

    @Parameters(paramLabel = "PROFILE", description = "standard, strict, or a file of Docker's or the OCI's JSON.")
    private String profile = "";

    @Override
    public Integer call() {
        List<ProfileLint.Finding> findings = ProfileLint.of(SeccompOperand.profile(profile), target.target());
        PrintWriter out = spec.commandLine().getOut();
        findings.forEach(finding -> out.println(
                "%-8s %-18s %s".formatted(finding.level(), finding.code(), OneLine.of(finding.sentence()))));
        return findings.stream().anyMatch(finding -> finding.level() == ProfileLint.Level.ERROR) ? 1 : 0;
    }
}
