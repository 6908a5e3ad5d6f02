package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.engine.Images;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;

/// Fetches images for the caller, with the logins of the caller's Docker configuration.
public final class Pulls {
    private Pulls() {}

    /// Fetches the image of a run as `--pull` says: `missing`, `always` or `never`. Images that are no names of a
    /// registry are left alone.
    public static void forRun(Image image, String policy, PrintWriter err) {
        if (!(image instanceof Image.Named(ImageReference reference)) || policy.equals("never")) {
            return;
        }
        try (Images images = Images.open(Caller.current().directories())) {
            if (policy.equals("missing") && images.has(reference)) {
                return;
            }
            if (policy.equals("missing")) {
                err.println("Unable to find image '" + reference + "' locally");
                err.flush();
            }
            pull(images, reference, new PullProgress(err));
        }
    }

    static StoredImage pull(Images images, ImageReference reference, PullListener listener) {
        return images.pull(reference, logins(), listener);
    }

    /// Checks the value of `--pull`.
    public static String policy(String value) {
        return switch (value) {
            case "always", "missing", "never" -> value;
            default -> throw CommandException.usage("--pull is always, missing or never");
        };
    }

    /// Returns the logins of the caller's Docker configuration.
    public static RegistryLogins logins() {
        Caller caller = Caller.current();
        return loginFile()
                .map(file -> caller.programs()
                        .map(programs -> RegistryLogins.of(file, programs.variables(), programs.directory()))
                        .orElseGet(() -> RegistryLogins.of(file)))
                .orElseGet(RegistryLogins::none);
    }

    /// Returns the caller's Docker configuration, which need not exist; empty if nothing says where it is.
    static Optional<Path> loginFile() {
        Caller caller = Caller.current();
        return caller.variable("DOCKER_CONFIG")
                .filter(directory -> !directory.isEmpty())
                .or(() ->
                        caller.variable("HOME").filter(home -> !home.isEmpty()).map(home -> home + "/.docker"))
                .map(directory -> caller.path(directory + "/config.json"));
    }
}
