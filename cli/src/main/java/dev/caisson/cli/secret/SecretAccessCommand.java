package dev.caisson.cli.secret;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson secret access`: says which containers may be given a secret.
@Command(
        name = "access",
        sortOptions = false,
        description = {
            "Say which containers may be given a secret, in place of what was said before. Of each kind that is given one has "
                    + "to fit; of labels, all. Containers that have its file retain it; gates of others close."
        },
        footer = {
            "%n  caisson secret access db-password --for-image registry.example.com/app:3 --for-name 'app-*'",
            "  caisson secret access db-password --anybody"
        })
final class SecretAccessCommand implements Callable<Integer> {
    @Mixin
    private final AccessOptions options = new AccessOptions();

    @Option(names = "--anybody", description = "Every container may have it.")
    private boolean anybody;

    @Parameters(paramLabel = "NAME", description = "The secret.")
    private String name = "";

    @Override
    public Integer call() {
        SecretAccess access = options.access();
        if (anybody != access.isAny()) {
            throw CommandException.usage(
                    anybody
                            ? "--anybody and --for-… contradict each other: give one"
                            : "nothing was said: give --for-image, --for-name, --for-label or --anybody");
        }
        try (SecretStore store = Stores.open()) {
            store.restrict(new SecretName(name), access, Stores.user());
        }
        return 0;
    }
}
