package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.seccomp.OciRuntime;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.ProfileExport;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `caisson seccomp export`: a profile for engines that compile with libseccomp.
@Command(
        name = "export",
        description =
                "Print a profile for Docker, Podman and others that decides the same when libseccomp compiles it, or refuse it by name.")
final class SeccompExportCommand implements Callable<Integer> {
    @Mixin
    private SeccompSubject subject = new SeccompSubject();

    @Option(
            names = "--for",
            paramLabel = "RUNTIME",
            description = "Allow what runc or crun itself calls between loading the filter and starting the program.")
    private @Nullable OciRuntime runtime;

    @Override
    public Integer call() {
        Profile profile = subject.profile();
        if (runtime != null) {
            OciRuntime.Opened opened = runtime.open(profile, subject.target());
            profile = opened.profile();
            if (!opened.opened().isEmpty()) {
                subject.err()
                        .println("caisson: allowed whatever their arguments, because " + runtime.programName()
                                + " needs them: " + String.join(" ", opened.opened()));
            }
        }
        ProfileExport export = ProfileExport.of(profile, subject.target());
        export.notes().forEach(sentence -> subject.err().println("caisson: " + OneLine.of(sentence)));
        subject.out().print(export.profile().toJson());
        return 0;
    }
}
