package dev.caisson.engine;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.OnSecretChange;
import java.time.Duration;
import java.util.Optional;

/// The program that a container runs when one of its secrets has another value.
final class ChangeProgram {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private ChangeProgram() {}

    static Exec of(OnSecretChange.Program program) {
        return Exec.of(program.command()).timeout(PATIENCE).outputLimit(Bytes.of(1 << 20));
    }

    /// Returns what went wrong, without its output.
    static Optional<String> failure(ExecResult result) {
        return result.verdict() == Verdict.OK
                ? Optional.empty()
                : Optional.of("the program of on-change ended with " + result.verdict() + ", status "
                        + result.exitCode() + ": run it by exec to see why");
    }
}
