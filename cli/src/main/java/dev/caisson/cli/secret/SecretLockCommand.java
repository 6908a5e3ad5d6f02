package dev.caisson.cli.secret;

import dev.caisson.secret.StoreKeys;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `caisson secret lock`: ends what `unlock` began.
@Command(
        name = "lock",
        sortOptions = false,
        description = {
            "Lock a store that 'caisson secret unlock' has unlocked: the kernel clears the key.",
            "Containers that run retain their secrets. A key file that is in its place opens the store again."
        },
        footer = "%n  caisson secret lock")
final class SecretLockCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (!StoreKeys.lock(Stores.directory(), Stores.user())) {
            spec.commandLine().getErr().println("caisson: the store was not unlocked, so nothing has changed");
        }
        return 0;
    }
}
