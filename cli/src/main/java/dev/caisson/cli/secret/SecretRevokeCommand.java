package dev.caisson.cli.secret;

import dev.caisson.cli.caller.EachName;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson secret revoke`: takes secrets away from containers that have them, and removes them.
@Command(
        name = "revoke",
        sortOptions = false,
        description = {
            "Take secrets away from containers that have them, and remove them with all versions.",
            "Files are overwritten, also for programs that have them open, and go. What a program has read it retains."
        },
        footer = "%n  caisson secret revoke db-password")
final class SecretRevokeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "SECRET", description = "Names, ids, or the beginnings of ids.")
    private List<String> wanted = List.of();

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        var incomplete = new AtomicBoolean();
        int status;
        try (SecretStore store = Stores.open()) {
            status = EachName.act(wanted, err, one -> {
                SecretName name = remove(store, one); // first, so that no container is given it meanwhile
                if (Updates.revoke(name, err) != 0) {
                    incomplete.set(true);
                }
                spec.commandLine().getOut().println(one);
            });
        }
        return incomplete.get() ? 1 : status;
    }

    /// Removes a secret from the store. One that the store has no more passes if containers may still have it: so a
    /// revoke that was broken off, or did not reach all, can be repeated.
    private static SecretName remove(SecretStore store, String wanted) {
        List<SecretRecord> all = store.list();
        if (Updates.isLeft(wanted, all)) {
            return new SecretName(wanted);
        }
        SecretName name = Stores.find(all, wanted).name();
        store.revoke(name, Stores.user());
        return name;
    }
}
