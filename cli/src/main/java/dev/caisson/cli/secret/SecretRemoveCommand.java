package dev.caisson.cli.secret;

import dev.caisson.cli.caller.EachName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.io.PrintWriter;
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
        description =
                "Remove secrets with all their versions. Containers retain what they have: 'revoke' takes it away too.",
        footer = "%n  caisson secret rm db-password")
final class SecretRemoveCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "SECRET", description = "Names, ids, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        try (SecretStore store = Stores.open()) {
            return EachName.act(wanted, err, one -> {
                SecretRecord found = Stores.find(store.list(), one);
                store.remove(found.name(), Stores.user());
                spec.commandLine().getOut().println(one);
            });
        }
    }
}
