package dev.caisson.launch;

import dev.caisson.spec.Mount;
import java.util.List;

/// The facts of an image that planning needs: how many layers it has and what it says about the program.
///
/// @param layers directories that lie over each other
/// @param binds host directories that belong to the image, as /usr of the `host` image
/// @param environment lines `VARIABLE=value`
/// @param workingDirectory absolute, or empty for the root
/// @param user whom the program runs as
public record RootImage(
        int layers,
        List<Mount.Bind> binds,
        List<String> entrypoint,
        List<String> command,
        List<String> environment,
        String workingDirectory,
        ProgramUser user) {
    public RootImage {
        binds = List.copyOf(binds);
        entrypoint = List.copyOf(entrypoint);
        command = List.copyOf(command);
        environment = List.copyOf(environment);
    }

    /// A user by numbers, looked up in the image's own files.
    ///
    /// @param home for the variable HOME
    public record ProgramUser(int uid, int gid, List<Integer> supplementaryGroups, String home) {
        public ProgramUser {
            supplementaryGroups = List.copyOf(supplementaryGroups);
            if (uid < 0 || uid >= IdRange.WIDTH || gid < 0 || gid >= IdRange.WIDTH) {
                throw new IllegalArgumentException("an id lies outside of the container's range");
            }
        }
    }
}
