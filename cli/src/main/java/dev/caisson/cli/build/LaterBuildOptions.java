package dev.caisson.cli.build;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.option.LaterOptions;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Options of Docker's builds that this version does not have: refused by name, with what to do.
public final class LaterBuildOptions {
    private static final String LIMIT = "each RUN has the limits that every container has by default: leave it out";
    private static final String CHECKED = "a Dockerfile is checked while it is built: leave it out";
    private static final Map<String, String> REASONS = new HashMap<>();

    static {
        put(CHECKED, "--call", "--check");
        put(
                LIMIT,
                "--cgroup-parent",
                "--cpu-period",
                "--cpu-quota",
                "--cpu-shares",
                "-c",
                "--cpuset-cpus",
                "--cpuset-mems",
                "--memory",
                "-m",
                "--memory-swap",
                "--resource",
                "--shm-size",
                "--ulimit");
        put("a RUN finds names on its --network: leave it out", "--add-host");
        put("a RUN gets no more rights than another container: leave it out", "--allow", "--security-opt");
        put("files come from the one context, or from an image with COPY --from=IMAGE", "--build-context");
        put("builds are made here, by no builder of another place: leave it out", "--builder");
        put("run 'caisson push' afterwards", "--push");
        put("layers stay as they are: leave it out", "--squash");
    }

    private LaterBuildOptions() {}

    private static void put(String reason, String... options) {
        for (String option : options) {
            REASONS.put(option, reason);
        }
    }

    /// Returns why an unknown option is refused; empty if Docker has none of that name.
    public static Optional<CommandException> refusal(String argument) {
        return LaterOptions.refusal(argument, REASONS).or(() -> LaterOptions.refusal(argument));
    }
}
