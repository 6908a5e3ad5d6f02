package dev.caisson.cli.secret;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.SecretUpdate;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretRecord;
import dev.caisson.secret.SecretStore;
import java.io.PrintWriter;
import java.util.List;

/// Brings a change of the store to containers, and names those that it did not come to.
final class Updates {
    private Updates() {}

    /// Gives containers the present value.
    /// @return the exit status
    static int deliver(SecretName secret, SecretStore store, PrintWriter err) throws InterruptedException {
        return report(
                secret, SecretUpdate.deliver(secret, store, Caller.current().directories()), err);
    }

    /// Takes the value away from containers.
    /// @return the exit status
    static int revoke(SecretName secret, PrintWriter err) throws InterruptedException {
        return report(secret, SecretUpdate.revoke(secret, Caller.current().directories()), err);
    }

    /// Returns whether containers may have a secret of a name that the store does not have.
    static boolean isLeft(String name, List<SecretRecord> stored) {
        return SecretName.isOne(name)
                && stored.stream().noneMatch(secret -> secret.name().text().equals(name))
                && SecretUpdate.isGiven(new SecretName(name), Caller.current().directories());
    }

    private static int report(SecretName secret, List<SecretUpdate.Missed> missed, PrintWriter err) {
        missed.forEach(one -> err.println(
                "caisson: the secret " + secret + " of container " + one.container() + ": " + one.reason()));
        return missed.isEmpty() ? 0 : 1;
    }
}
