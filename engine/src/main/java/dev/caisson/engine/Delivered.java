package dev.caisson.engine;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.SecretFile;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// The secrets of one container, read before anything is changed for it.
///
/// @param files those that it has
/// @param gates those that are put into its requests
record Delivered(SecretFiles files, GateSecrets gates) implements AutoCloseable {
    /// Reads them; the container is refused if one of them is not to be had.
    static Delivered read(Preparation preparation, Preparation.Prepared prepared) {
        ContainerSpec spec = prepared.spec();
        requireWithoutRestart(spec);
        String label = label(spec);
        try {
            preparation.refreshSecrets(prepared, label);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("the caller was interrupted");
        }
        SecretFiles files = preparation.secrets(prepared, SpecTexts.of(spec, Optional.empty()), label);
        try {
            return new Delivered(files, preparation.gates(prepared, label));
        } catch (RuntimeException | Error e) {
            files.close();
            throw e;
        }
    }

    private static void requireWithoutRestart(ContainerSpec spec) {
        for (SecretFile file : SecretUpdate.files(spec)) {
            if (file.onChange() instanceof OnSecretChange.Restart) {
                throw new EngineException(
                        "SECRET_ON_CHANGE",
                        "on-change=restart of the secret " + file.secret()
                                + " needs a container in the background, which can be restarted: run it with -d");
            }
        }
    }

    /// Returns the words for a container in the log of accesses.
    private static String label(ContainerSpec spec) {
        return spec.name().map(name -> "container " + name).orElse("a container without a name") + ", image "
                + spec.image();
    }

    /// Clears the values.
    @Override
    public void close() {
        files.close();
        gates.close();
    }
}
