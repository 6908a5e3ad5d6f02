package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.EachName;
import dev.caisson.engine.Volumes;
import dev.caisson.spec.VolumeName;
import java.io.PrintWriter;
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
        PrintWriter err = spec.commandLine().getErr();
        return EachName.act(names, err, problem -> force && problem.code().equals("VOLUME_UNKNOWN"), name -> {
            all.remove(new VolumeName(name));
            spec.commandLine().getOut().println(name);
        });
    }
}
