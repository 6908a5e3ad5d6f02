package dev.caisson.image;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How an image wants to be run.
///
/// @param entrypoint the words before the command; empty for none
/// @param cmd the command, or the arguments of the entrypoint, where the user gives none
/// @param env in the image's order
/// @param user `user[:group]`, for [Rootfs#account]; empty for root
/// @param workingDir absolute
/// @param exposedPorts `80/tcp`
/// @param volumes absolute paths in the image
/// @param stopSignal as the image wrote it: `SIGTERM` or a number
/// @param health how the image wants to be checked; empty if it does not say
public record ImageConfig(
        List<String> entrypoint,
        List<String> cmd,
        Map<String, String> env,
        String user,
        String workingDir,
        List<String> exposedPorts,
        List<String> volumes,
        Map<String, String> labels,
        Optional<String> stopSignal,
        Optional<ImageHealth> health,
        Platform platform) {
    /// Search path of programs in an image that sets none.
    public static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public ImageConfig {
        entrypoint = List.copyOf(entrypoint);
        cmd = List.copyOf(cmd);
        env = Collections.unmodifiableMap(new LinkedHashMap<>(env));
        exposedPorts = List.copyOf(exposedPorts);
        volumes = List.copyOf(volumes);
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }

    /// Returns the configuration of a tree that has none.
    static ImageConfig plain(List<String> cmd) {
        return new ImageConfig(
                List.of(),
                cmd,
                Map.of("PATH", DEFAULT_PATH),
                "",
                "/",
                List.of(),
                List.of(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                Platform.running());
    }
}
