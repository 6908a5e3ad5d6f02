package dev.caisson.cli.image;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.image.Emulation;
import dev.caisson.image.Platform;
import org.jspecify.annotations.Nullable;

/// The value of `--platform`.
public final class Platforms {
    private Platforms() {}

    /// Returns the platform that an option names, which runs here; this machine's without one.
    public static Platform wanted(@Nullable String platform) {
        if (platform == null) {
            return Platform.running();
        }
        Platform wanted = Platform.parse(platform);
        Emulation.requireHere(wanted);
        return wanted;
    }

    /// Refuses a platform that is not this machine's.
    static void requireOwn(@Nullable String platform) {
        if (platform != null && !Platform.parse(platform).runsHere()) {
            throw CommandException.refused(
                    "--platform " + platform, "a file system gets this machine's alone: use " + Platform.running());
        }
    }
}
