package dev.caisson.cli;

import dev.caisson.seccomp.ProfileExport;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `caisson seccomp export`: a profile for engines that compile with libseccomp.
@Command(
        name = "export",
        description =
                "Print a profile for Docker, Podman and others that means the same when libseccomp compiles it; what has no such form is denied, and told.")
final class SeccompExportCommand implements Callable<Integer> {
    @Mixin
    private SeccompSubject subject = new SeccompSubject();

    @Override
    public Integer call() {
        ProfileExport export = ProfileExport.of(subject.profile(), subject.target());
        export.tightened().forEach(sentence -> subject.err().println("caisson: " + OneLine.of(sentence)));
        subject.out().print(export.profile().toJson());
        return 0;
    }
}
