package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.Volumes;
import dev.caisson.error.CaissonException;
import dev.caisson.spec.VolumeName;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson volume rm`: removes volumes with their files.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove volumes with all their files; one that a container has is refused.",
        footer = "%n  caisson volume rm data")
final class VolumeRemoveCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-f", "--force"},
            description = "Say nothing of one that is not there.")
    private boolean force;

    @Parameters(arity = "1..*", paramLabel = "VOLUME", description = "Names.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        Volumes all = Volumes.of(Caller.current().directories());
        int status = 0;
        for (String name : names) {
            try {
                all.remove(new VolumeName(name));
                spec.commandLine().getOut().println(name);
            } catch (CaissonException e) {
                if (!force || !e.code().equals("VOLUME_UNKNOWN")) {
                    spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                    status = SOME_FAILED;
                }
            }
        }
        return status;
    }
}
