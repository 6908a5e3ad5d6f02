package dev.caisson.cli.secret;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.error.CaissonException;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson secret rm`: removes secrets with all their versions.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove secrets with all their versions.",
        footer = "%n  caisson secret rm db-password")
final class SecretRemoveCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "SECRET", description = "Names, ids, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        int status = 0;
        try (SecretStore store = Stores.open()) {
            for (String one : wanted) {
                try {
                    SecretRecord found = Stores.find(store.list(), one);
                    store.remove(found.name(), Stores.user());
                    spec.commandLine().getOut().println(one);
                } catch (CaissonException e) {
                    spec.commandLine().getErr().println("caisson: " + e.code() + ": " + OneLine.of(e.sentence()));
                    status = SOME_FAILED;
                }
            }
        }
        return status;
    }
}
