package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.ProfileLint;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `caisson seccomp lint`: what a profile says that was hardly meant. Exits with 1 where something is wrong.
@Command(name = "lint", description = "Find what is wrong or doubtful in a profile.")
final class SeccompLintCommand implements Callable<Integer> {
    @Mixin
    private SeccompSubject subject = new SeccompSubject();

    @Override
    public Integer call() {
        List<ProfileLint.Finding> findings = ProfileLint.of(subject.profile(), subject.target());
        PrintWriter out = subject.out();
        findings.forEach(finding -> out.println(String.format(
                Locale.ROOT, "%-8s %-18s %s", finding.level(), finding.code(), OneLine.of(finding.sentence()))));
        return findings.stream().anyMatch(finding -> finding.level() == ProfileLint.Level.ERROR) ? 1 : 0;
    }
}
