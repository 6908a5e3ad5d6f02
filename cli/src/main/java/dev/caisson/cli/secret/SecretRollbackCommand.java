package dev.caisson.cli.secret;

import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson secret rollback`: hands out an earlier version again.
@Command(
        name = "rollback",
        sortOptions = false,
        description = "Hand out an earlier version of a secret again, also to containers that have it.",
        footer = "%n  caisson secret rollback db-password 3")
final class SecretRollbackCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "NAME", description = "Secret.")
    private String name = "";

    @Parameters(index = "1", paramLabel = "VERSION", description = "Number, as 'caisson secret versions' shows it.")
    private int version;

    @Override
    public Integer call() throws InterruptedException {
        try (SecretStore store = Stores.open()) {
            SecretRecord changed = store.rollback(new SecretName(name), version, Stores.user());
            spec.commandLine().getOut().println(changed.name() + "@" + changed.current());
            spec.commandLine().getOut().flush();
            return Updates.deliver(changed.name(), store, spec.commandLine().getErr());
        }
    }
}
