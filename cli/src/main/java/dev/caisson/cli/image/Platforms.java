package dev.caisson.cli.image;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.image.Platform;
import org.jspecify.annotations.Nullable;

/// The value of `--platform`.
public final class Platforms {
    private Platforms() {}

    /// Refuses a platform that is not this machine's.
    public static void requireOwn(@Nullable String platform) {
        if (platform == null) {
            return;
        }
        Platform own = Platform.running();
        String shorter = own.os() + "/" + own.architecture();
        if (!platform.equals(own.toString()) && !platform.equals(shorter)) {
            throw CommandException.refused(
                    "--platform " + platform, "programs of another machine do not run on this one: use " + shorter);
        }
    }
}
