package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.engine.Images;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.Platform;
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
    ///
    /// @param platform of the image; empty for that which the store has, or this machine's
    /// @return the image; one of the store that was given by its id has its name, and is not fetched
    public static Image forRun(Image image, Optional<Platform> platform, String policy, PrintWriter err) {
        if (!(image instanceof Image.Named(ImageReference given))) {
            requireOwn(platform, image);
            return image;
        }
        try (Images images = Images.open(Caller.current().directories())) {
            ImageReference reference = images.settled(given);
            fetch(images, reference, platform, reference.equals(given) ? policy : "never", err);
            return new Image.Named(reference);
        }
    }

    private static void fetch(
            Images images, ImageReference reference, Optional<Platform> platform, String policy, PrintWriter err) {
        boolean isThere = platform.isPresent() ? images.has(reference, platform.get()) : images.has(reference);
        if (policy.equals("missing") && isThere) {
            return;
        }
        if (policy.equals("never")) {
            requireThere(isThere, images, reference, platform);
            return;
        }
        if (policy.equals("missing")) {
            err.println("Unable to find image '" + reference + "' locally");
            err.flush();
        }
        pull(images, reference, platform.orElseGet(Platform::running), new PullProgress(err));
    }

    private static void requireOwn(Optional<Platform> platform, Image image) {
        if (platform.isPresent() && !platform.get().runsHere()) {
            throw CommandException.refused(
                    "--platform " + platform.get() + " with " + image,
                    "it chooses among images of a registry: load or import this one, or leave the option out");
        }
    }

    private static void requireThere(
            boolean isThere, Images images, ImageReference reference, Optional<Platform> platform) {
        if (!isThere && images.has(reference)) {
            throw CommandException.refused(
                    "--platform " + platform.map(Platform::toString).orElse(""),
                    reference
                            + " of the store is for another platform: name it as its registry does, without --pull never");
        }
    }

    static StoredImage pull(Images images, ImageReference reference, Platform platform, PullListener listener) {
        return images.pull(reference, platform, logins(), listener);
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
