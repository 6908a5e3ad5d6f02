package dev.caisson.cli;

import dev.caisson.seccomp.ProfileExport;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson seccomp export`: a profile for engines that compile with libseccomp.
@Command(
        name = "export",
        description =
                "Print a profile for Docker, Podman and others that means the same when libseccomp compiles it; what has no such form is denied, and told.")
final class SeccompExportCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Mixin
    private SeccompTarget target = new SeccompTarget();

    @Parameters(paramLabel = "PROFILE", description = "standard, strict, or a file of Docker's or the OCI's JSON.")
    private String profile = "";

    @Override
    public Integer call() {
        ProfileExport export = ProfileExport.of(SeccompOperand.profile(profile), target.target());
        export.tightened().forEach(sentence -> spec.commandLine().getErr().println("caisson: " + OneLine.of(sentence)));
        spec.commandLine().getOut().print(export.profile().toJson());
        return 0;
    }
}
